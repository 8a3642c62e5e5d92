-- AlterTable
ALTER TABLE "copy" ADD COLUMN     "retries" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN     "retry_at" TIMESTAMPTZ(3);

-- CreateTable
CREATE TABLE "storage_clean_up" (
    "id" UUID NOT NULL,
    "destination_id" UUID NOT NULL,
    "path" TEXT NOT NULL,
    "operation_id" UUID NOT NULL,
    "attempt" INTEGER NOT NULL,
    "tries" INTEGER NOT NULL DEFAULT 0,
    "error" TEXT,
    "next_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "storage_clean_up_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "storage_clean_up_next_at_idx" ON "storage_clean_up"("next_at");

-- CreateIndex
CREATE INDEX "storage_clean_up_operation_id_attempt_idx" ON "storage_clean_up"("operation_id", "attempt");

-- CreateIndex
CREATE UNIQUE INDEX "storage_clean_up_destination_id_path_key" ON "storage_clean_up"("destination_id", "path");

-- CreateIndex
CREATE INDEX "copy_retry_at_idx" ON "copy"("retry_at");

-- AddForeignKey
ALTER TABLE "storage_clean_up" ADD CONSTRAINT "storage_clean_up_destination_id_fkey" FOREIGN KEY ("destination_id") REFERENCES "destination"("id") ON DELETE RESTRICT ON UPDATE CASCADE;


-- What is being written now, and what a destination that failed may still hold of a backup.
INSERT INTO "storage_clean_up" ("id", "destination_id", "path", "operation_id", "attempt")
SELECT gen_random_uuid(), c."destination_id", c."path", o."id", o."attempt"
  FROM "copy" c
  JOIN "backup" b ON b."id" = c."backup_id"
  JOIN "operation" o ON o."id" = b."operation_id"
 WHERE o."attempt" > 0
   AND (b."state" = 'running' AND c."state" = 'writing' OR b."state" = 'partial' AND c."state" = 'failed');
