-- AlterTable
ALTER TABLE "operation" ADD COLUMN     "unsettled" JSONB;
