-- CreateEnum
CREATE TYPE "PolicyMissed" AS ENUM ('catch_up', 'skip');

-- CreateEnum
CREATE TYPE "PolicyRunState" AS ENUM ('due', 'running', 'succeeded', 'failed', 'missed', 'skipped');

-- CreateEnum
CREATE TYPE "PolicyRunItemState" AS ENUM ('waiting', 'started', 'succeeded', 'failed', 'skipped');

-- AlterEnum
-- This migration adds more than one value to an enum.
-- With PostgreSQL versions 11 and earlier, this is not possible
-- in a single migration. This can be worked around by creating
-- multiple migrations, each migration adding only one value to
-- the enum.


ALTER TYPE "CopyState" ADD VALUE 'removing';
ALTER TYPE "CopyState" ADD VALUE 'removed';

-- AlterTable
ALTER TABLE "backup" ADD COLUMN     "pin_reason" TEXT,
ADD COLUMN     "pinned_at" TIMESTAMPTZ(3),
ADD COLUMN     "pinned_by" TEXT,
ADD COLUMN     "policy_id" UUID,
ADD COLUMN     "policy_run_id" UUID,
ADD COLUMN     "removal_reason" TEXT,
ADD COLUMN     "removal_retry_at" TIMESTAMPTZ(3),
ADD COLUMN     "removal_tries" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN     "removed_at" TIMESTAMPTZ(3),
ADD COLUMN     "removing_at" TIMESTAMPTZ(3);

-- CreateTable
CREATE TABLE "policy" (
    "id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "patterns" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "schedule" JSONB NOT NULL,
    "zone" TEXT NOT NULL,
    "blackouts" JSONB NOT NULL DEFAULT '[]',
    "jitter_seconds" INTEGER NOT NULL DEFAULT 0,
    "missed" "PolicyMissed" NOT NULL DEFAULT 'catch_up',
    "retention" JSONB NOT NULL,
    "verification" JSONB NOT NULL,
    "paused_at" TIMESTAMPTZ(3),
    "paused_by" TEXT,
    "archived_at" TIMESTAMPTZ(3),
    "planned_until" TIMESTAMPTZ(3) NOT NULL,
    "next_due_at" TIMESTAMPTZ(3),
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "policy_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "policy_database" (
    "policy_id" UUID NOT NULL,
    "database_id" UUID NOT NULL,

    CONSTRAINT "policy_database_pkey" PRIMARY KEY ("policy_id","database_id")
);

-- CreateTable
CREATE TABLE "policy_destination" (
    "policy_id" UUID NOT NULL,
    "destination_id" UUID NOT NULL,

    CONSTRAINT "policy_destination_pkey" PRIMARY KEY ("policy_id","destination_id")
);

-- CreateTable
CREATE TABLE "policy_run" (
    "id" UUID NOT NULL,
    "policy_id" UUID NOT NULL,
    "due_at" TIMESTAMPTZ(3) NOT NULL,
    "state" "PolicyRunState" NOT NULL DEFAULT 'due',
    "reason" TEXT,
    "trigger" TEXT NOT NULL,
    "actor_name" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "started_at" TIMESTAMPTZ(3),
    "finished_at" TIMESTAMPTZ(3),

    CONSTRAINT "policy_run_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "policy_run_item" (
    "run_id" UUID NOT NULL,
    "database_id" UUID NOT NULL,
    "state" "PolicyRunItemState" NOT NULL DEFAULT 'waiting',
    "reason" TEXT,
    "start_at" TIMESTAMPTZ(3) NOT NULL,
    "verify" BOOLEAN NOT NULL DEFAULT false,
    "backup_id" UUID,
    "finished_at" TIMESTAMPTZ(3),

    CONSTRAINT "policy_run_item_pkey" PRIMARY KEY ("run_id","database_id")
);

-- CreateIndex
CREATE UNIQUE INDEX "policy_name_key" ON "policy"("name");

-- CreateIndex
CREATE INDEX "policy_next_due_at_idx" ON "policy"("next_due_at");

-- CreateIndex
CREATE INDEX "policy_database_database_id_idx" ON "policy_database"("database_id");

-- CreateIndex
CREATE INDEX "policy_destination_destination_id_idx" ON "policy_destination"("destination_id");

-- CreateIndex
CREATE INDEX "policy_run_policy_id_created_at_id_idx" ON "policy_run"("policy_id", "created_at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "policy_run_state_idx" ON "policy_run"("state");

-- CreateIndex
CREATE UNIQUE INDEX "policy_run_policy_id_due_at_key" ON "policy_run"("policy_id", "due_at");

-- CreateIndex
CREATE UNIQUE INDEX "policy_run_item_backup_id_key" ON "policy_run_item"("backup_id");

-- CreateIndex
CREATE INDEX "policy_run_item_state_start_at_idx" ON "policy_run_item"("state", "start_at");

-- CreateIndex
CREATE INDEX "policy_run_item_database_id_idx" ON "policy_run_item"("database_id");

-- CreateIndex
CREATE INDEX "backup_policy_id_created_at_idx" ON "backup"("policy_id", "created_at" DESC);

-- CreateIndex
CREATE INDEX "backup_removal_retry_at_idx" ON "backup"("removal_retry_at");

-- AddForeignKey
ALTER TABLE "backup" ADD CONSTRAINT "backup_policy_id_fkey" FOREIGN KEY ("policy_id") REFERENCES "policy"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "backup" ADD CONSTRAINT "backup_policy_run_id_fkey" FOREIGN KEY ("policy_run_id") REFERENCES "policy_run"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "policy_database" ADD CONSTRAINT "policy_database_policy_id_fkey" FOREIGN KEY ("policy_id") REFERENCES "policy"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "policy_database" ADD CONSTRAINT "policy_database_database_id_fkey" FOREIGN KEY ("database_id") REFERENCES "database"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "policy_destination" ADD CONSTRAINT "policy_destination_policy_id_fkey" FOREIGN KEY ("policy_id") REFERENCES "policy"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "policy_destination" ADD CONSTRAINT "policy_destination_destination_id_fkey" FOREIGN KEY ("destination_id") REFERENCES "destination"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "policy_run" ADD CONSTRAINT "policy_run_policy_id_fkey" FOREIGN KEY ("policy_id") REFERENCES "policy"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "policy_run_item" ADD CONSTRAINT "policy_run_item_run_id_fkey" FOREIGN KEY ("run_id") REFERENCES "policy_run"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "policy_run_item" ADD CONSTRAINT "policy_run_item_database_id_fkey" FOREIGN KEY ("database_id") REFERENCES "database"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "policy_run_item" ADD CONSTRAINT "policy_run_item_backup_id_fkey" FOREIGN KEY ("backup_id") REFERENCES "backup"("id") ON DELETE SET NULL ON UPDATE CASCADE;
