-- AlterTable
ALTER TABLE "destination" ADD COLUMN     "lacks" TEXT[] DEFAULT ARRAY[]::TEXT[],
ADD COLUMN     "off_host" BOOLEAN NOT NULL DEFAULT false;
