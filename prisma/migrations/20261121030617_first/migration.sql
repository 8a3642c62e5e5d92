-- CreateSchema
CREATE SCHEMA IF NOT EXISTS "public";

-- CreateEnum
CREATE TYPE "Role" AS ENUM ('viewer', 'operator', 'admin');

-- CreateEnum
CREATE TYPE "BackupState" AS ENUM ('running', 'complete', 'partial', 'failed', 'cancelled', 'interrupted');

-- CreateEnum
CREATE TYPE "CopyState" AS ENUM ('writing', 'stored', 'missing', 'altered', 'failed', 'unreachable');

-- CreateEnum
CREATE TYPE "ProofLevel" AS ENUM ('present', 'readable', 'restored', 'asserted');

-- CreateEnum
CREATE TYPE "ProofVerdict" AS ENUM ('proven', 'failed', 'unverifiable');

-- CreateEnum
CREATE TYPE "EngineKind" AS ENUM ('postgres', 'sqlite');

-- CreateEnum
CREATE TYPE "OperationState" AS ENUM ('queued', 'running', 'cancelling', 'succeeded', 'failed', 'cancelled', 'interrupted');

-- CreateTable
CREATE TABLE "audit_event" (
    "id" UUID NOT NULL,
    "xid" TEXT NOT NULL DEFAULT (pg_current_xact_id())::text,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "actor_kind" TEXT NOT NULL,
    "actor_id" TEXT,
    "actor_name" TEXT NOT NULL,
    "address" TEXT,
    "action" TEXT NOT NULL,
    "object_kind" TEXT NOT NULL,
    "object_id" TEXT,
    "object_name" TEXT,
    "before" JSONB,
    "after" JSONB,
    "canonical" TEXT NOT NULL,

    CONSTRAINT "audit_event_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "audit_link" (
    "seq" BIGINT NOT NULL,
    "event_id" UUID NOT NULL,
    "hash" TEXT NOT NULL,

    CONSTRAINT "audit_link_pkey" PRIMARY KEY ("seq")
);

-- CreateTable
CREATE TABLE "user_account" (
    "id" UUID NOT NULL,
    "email" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "password_hash" TEXT NOT NULL,
    "role" "Role" NOT NULL,
    "scope_environments" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "scope_applications" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "must_change_password" BOOLEAN NOT NULL DEFAULT false,
    "totp_secret_sealed" TEXT,
    "totp_enabled_at" TIMESTAMPTZ(3),
    "totp_last_step" BIGINT,
    "recovery_code_hashes" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "last_login_at" TIMESTAMPTZ(3),
    "disabled_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "user_account_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "session" (
    "id" UUID NOT NULL,
    "user_id" UUID NOT NULL,
    "address" TEXT,
    "user_agent" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "last_seen_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "revoked_at" TIMESTAMPTZ(3),

    CONSTRAINT "session_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "invite" (
    "id" UUID NOT NULL,
    "email" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "role" "Role" NOT NULL,
    "scope_environments" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "scope_applications" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "token_hash" TEXT NOT NULL,
    "invited_by" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "accepted_at" TIMESTAMPTZ(3),
    "revoked_at" TIMESTAMPTZ(3),

    CONSTRAINT "invite_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "login_throttle" (
    "key" TEXT NOT NULL,
    "failures" INTEGER NOT NULL,
    "blocked_until" TIMESTAMPTZ(3),
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "login_throttle_pkey" PRIMARY KEY ("key")
);

-- CreateTable
CREATE TABLE "api_token" (
    "id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "prefix" TEXT NOT NULL,
    "token_hash" TEXT NOT NULL,
    "role" "Role" NOT NULL,
    "scope_environments" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "scope_applications" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "created_by" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3),
    "last_used_at" TIMESTAMPTZ(3),
    "revoked_at" TIMESTAMPTZ(3),

    CONSTRAINT "api_token_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "destination" (
    "id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "config" JSONB NOT NULL,
    "secret_sealed" TEXT,
    "archived_at" TIMESTAMPTZ(3),
    "checked_at" TIMESTAMPTZ(3),
    "check_error" TEXT,
    "free_bytes" BIGINT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "destination_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "backup" (
    "id" UUID NOT NULL,
    "database_id" UUID NOT NULL,
    "operation_id" UUID NOT NULL,
    "state" "BackupState" NOT NULL DEFAULT 'running',
    "reason" TEXT,
    "trigger" TEXT NOT NULL,
    "path" TEXT NOT NULL,
    "engine_version" TEXT,
    "tool_version" TEXT,
    "size_bytes" BIGINT,
    "plain_bytes" BIGINT,
    "table_count" INTEGER,
    "row_count" BIGINT,
    "dump_seconds" DOUBLE PRECISION,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "started_at" TIMESTAMPTZ(3),
    "finished_at" TIMESTAMPTZ(3),
    "proof_level" "ProofLevel",
    "proof_verdict" "ProofVerdict",
    "proof_by_count" BOOLEAN NOT NULL DEFAULT false,
    "proof_reason" TEXT,
    "proven_at" TIMESTAMPTZ(3),
    "restore_seconds" DOUBLE PRECISION,

    CONSTRAINT "backup_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "backup_manifest" (
    "backup_id" UUID NOT NULL,
    "text" TEXT NOT NULL,
    "sha256" TEXT NOT NULL,

    CONSTRAINT "backup_manifest_pkey" PRIMARY KEY ("backup_id")
);

-- CreateTable
CREATE TABLE "copy" (
    "id" UUID NOT NULL,
    "backup_id" UUID NOT NULL,
    "destination_id" UUID NOT NULL,
    "state" "CopyState" NOT NULL DEFAULT 'writing',
    "reason" TEXT,
    "path" TEXT NOT NULL,
    "size_bytes" BIGINT,
    "checked_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "copy_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "proof" (
    "id" UUID NOT NULL,
    "backup_id" UUID NOT NULL,
    "copy_id" UUID NOT NULL,
    "operation_id" UUID NOT NULL,
    "level" "ProofLevel",
    "verdict" "ProofVerdict" NOT NULL,
    "by_count" BOOLEAN NOT NULL DEFAULT false,
    "reason" TEXT NOT NULL,
    "isolation" TEXT,
    "restore_seconds" DOUBLE PRECISION,
    "report" JSONB NOT NULL,
    "started_at" TIMESTAMPTZ(3) NOT NULL,
    "finished_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "proof_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "install" (
    "singleton" BOOLEAN NOT NULL DEFAULT true,
    "id" UUID NOT NULL,
    "claim_token_hash" TEXT,
    "claimed_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "install_pkey" PRIMARY KEY ("singleton")
);

-- CreateTable
CREATE TABLE "setting" (
    "key" TEXT NOT NULL,
    "value" JSONB NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "setting_pkey" PRIMARY KEY ("key")
);

-- CreateTable
CREATE TABLE "key_check" (
    "key_id" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "check" TEXT NOT NULL,
    "active" BOOLEAN NOT NULL DEFAULT true,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "retired_at" TIMESTAMPTZ(3),

    CONSTRAINT "key_check_pkey" PRIMARY KEY ("key_id")
);

-- CreateTable
CREATE TABLE "live_event" (
    "id" BIGSERIAL NOT NULL,
    "topic" TEXT NOT NULL,
    "object_id" TEXT,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "live_event_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "idempotency_key" (
    "key" TEXT NOT NULL,
    "actor_id" TEXT NOT NULL,
    "request_hash" TEXT NOT NULL,
    "status" INTEGER,
    "response" JSONB,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "idempotency_key_pkey" PRIMARY KEY ("actor_id","key")
);

-- CreateTable
CREATE TABLE "environment" (
    "id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "position" INTEGER NOT NULL,
    "protected" BOOLEAN NOT NULL DEFAULT false,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "environment_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "database" (
    "id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "engine" "EngineKind" NOT NULL,
    "application" TEXT NOT NULL,
    "environment_id" UUID NOT NULL,
    "pool" TEXT NOT NULL DEFAULT 'default',
    "tags" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "owner" TEXT,
    "note" TEXT,
    "connection" JSONB NOT NULL,
    "secret_sealed" TEXT,
    "server_identity" TEXT,
    "server_version" TEXT,
    "size_bytes" BIGINT,
    "probed_at" TIMESTAMPTZ(3),
    "probe_error" TEXT,
    "preflight" JSONB,
    "preflight_at" TIMESTAMPTZ(3),
    "archived_at" TIMESTAMPTZ(3),
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "database_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "operation" (
    "id" UUID NOT NULL,
    "root_id" UUID NOT NULL,
    "kind" TEXT NOT NULL,
    "state" "OperationState" NOT NULL DEFAULT 'queued',
    "reason" TEXT,
    "title" TEXT NOT NULL,
    "pool" TEXT NOT NULL,
    "payload" JSONB NOT NULL,
    "result" JSONB,
    "error" JSONB,
    "progress" JSONB,
    "actor_kind" TEXT NOT NULL,
    "actor_id" TEXT,
    "actor_name" TEXT NOT NULL,
    "trigger" TEXT NOT NULL,
    "database_id" UUID,
    "backup_id" UUID,
    "attempt" INTEGER NOT NULL DEFAULT 0,
    "max_attempts" INTEGER NOT NULL DEFAULT 1,
    "worker_id" UUID,
    "lease_until" TIMESTAMPTZ(3),
    "progress_at" TIMESTAMPTZ(3),
    "waits_for" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "started_at" TIMESTAMPTZ(3),
    "finished_at" TIMESTAMPTZ(3),
    "cancel_asked_at" TIMESTAMPTZ(3),
    "cancel_asked_by" TEXT,

    CONSTRAINT "operation_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "operation_transition" (
    "id" BIGSERIAL NOT NULL,
    "operation_id" UUID NOT NULL,
    "attempt" INTEGER NOT NULL,
    "state" "OperationState" NOT NULL,
    "reason" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "operation_transition_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "operation_step" (
    "operation_id" UUID NOT NULL,
    "attempt" INTEGER NOT NULL,
    "seq" INTEGER NOT NULL,
    "name" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "detail" TEXT,
    "started_at" TIMESTAMPTZ(3) NOT NULL,
    "finished_at" TIMESTAMPTZ(3),

    CONSTRAINT "operation_step_pkey" PRIMARY KEY ("operation_id","attempt","seq")
);

-- CreateTable
CREATE TABLE "operation_log" (
    "id" BIGSERIAL NOT NULL,
    "operation_id" UUID NOT NULL,
    "attempt" INTEGER NOT NULL,
    "step" TEXT,
    "level" TEXT NOT NULL,
    "line" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "operation_log_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "slot" (
    "key" TEXT NOT NULL,
    "root_id" UUID NOT NULL,
    "operation_id" UUID NOT NULL,
    "lease_until" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "slot_pkey" PRIMARY KEY ("key")
);

-- CreateTable
CREATE TABLE "worker" (
    "id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "pool" TEXT NOT NULL,
    "host" TEXT NOT NULL,
    "pid" INTEGER NOT NULL,
    "version" TEXT NOT NULL,
    "abilities" JSONB NOT NULL,
    "started_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "heartbeat_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "stopped_at" TIMESTAMPTZ(3),

    CONSTRAINT "worker_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "audit_event_at_id_idx" ON "audit_event"("at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "audit_event_actor_id_at_idx" ON "audit_event"("actor_id", "at" DESC);

-- CreateIndex
CREATE INDEX "audit_event_object_kind_object_id_at_idx" ON "audit_event"("object_kind", "object_id", "at" DESC);

-- CreateIndex
CREATE INDEX "audit_event_action_at_idx" ON "audit_event"("action", "at" DESC);

-- CreateIndex
CREATE UNIQUE INDEX "audit_link_event_id_key" ON "audit_link"("event_id");

-- CreateIndex
CREATE UNIQUE INDEX "user_account_email_key" ON "user_account"("email");

-- CreateIndex
CREATE INDEX "session_user_id_revoked_at_idx" ON "session"("user_id", "revoked_at");

-- CreateIndex
CREATE UNIQUE INDEX "invite_token_hash_key" ON "invite"("token_hash");

-- CreateIndex
CREATE UNIQUE INDEX "api_token_token_hash_key" ON "api_token"("token_hash");

-- CreateIndex
CREATE UNIQUE INDEX "destination_name_key" ON "destination"("name");

-- CreateIndex
CREATE INDEX "backup_database_id_created_at_id_idx" ON "backup"("database_id", "created_at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "backup_database_id_proof_verdict_created_at_idx" ON "backup"("database_id", "proof_verdict", "created_at" DESC);

-- CreateIndex
CREATE INDEX "backup_state_created_at_id_idx" ON "backup"("state", "created_at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "backup_proof_verdict_created_at_id_idx" ON "backup"("proof_verdict", "created_at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "backup_created_at_id_idx" ON "backup"("created_at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "copy_destination_id_state_idx" ON "copy"("destination_id", "state");

-- CreateIndex
CREATE UNIQUE INDEX "copy_backup_id_destination_id_key" ON "copy"("backup_id", "destination_id");

-- CreateIndex
CREATE INDEX "proof_backup_id_finished_at_idx" ON "proof"("backup_id", "finished_at" DESC);

-- CreateIndex
CREATE UNIQUE INDEX "install_id_key" ON "install"("id");

-- CreateIndex
CREATE INDEX "live_event_at_idx" ON "live_event"("at");

-- CreateIndex
CREATE INDEX "idempotency_key_created_at_idx" ON "idempotency_key"("created_at");

-- CreateIndex
CREATE UNIQUE INDEX "environment_name_key" ON "environment"("name");

-- CreateIndex
CREATE UNIQUE INDEX "database_name_key" ON "database"("name");

-- CreateIndex
CREATE INDEX "database_application_idx" ON "database"("application");

-- CreateIndex
CREATE INDEX "operation_state_created_at_id_idx" ON "operation"("state", "created_at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "operation_database_id_created_at_id_idx" ON "operation"("database_id", "created_at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "operation_kind_created_at_id_idx" ON "operation"("kind", "created_at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "operation_created_at_id_idx" ON "operation"("created_at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "operation_backup_id_idx" ON "operation"("backup_id");

-- CreateIndex
CREATE INDEX "operation_root_id_idx" ON "operation"("root_id");

-- CreateIndex
CREATE INDEX "operation_waits_for_idx" ON "operation"("waits_for");

-- CreateIndex
CREATE INDEX "operation_transition_operation_id_id_idx" ON "operation_transition"("operation_id", "id");

-- CreateIndex
CREATE INDEX "operation_log_operation_id_id_idx" ON "operation_log"("operation_id", "id");

-- CreateIndex
CREATE INDEX "slot_operation_id_idx" ON "slot"("operation_id");

-- CreateIndex
CREATE INDEX "worker_heartbeat_at_idx" ON "worker"("heartbeat_at");

-- AddForeignKey
ALTER TABLE "session" ADD CONSTRAINT "session_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "user_account"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "backup" ADD CONSTRAINT "backup_database_id_fkey" FOREIGN KEY ("database_id") REFERENCES "database"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "backup_manifest" ADD CONSTRAINT "backup_manifest_backup_id_fkey" FOREIGN KEY ("backup_id") REFERENCES "backup"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "copy" ADD CONSTRAINT "copy_backup_id_fkey" FOREIGN KEY ("backup_id") REFERENCES "backup"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "copy" ADD CONSTRAINT "copy_destination_id_fkey" FOREIGN KEY ("destination_id") REFERENCES "destination"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "proof" ADD CONSTRAINT "proof_backup_id_fkey" FOREIGN KEY ("backup_id") REFERENCES "backup"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "database" ADD CONSTRAINT "database_environment_id_fkey" FOREIGN KEY ("environment_id") REFERENCES "environment"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "operation" ADD CONSTRAINT "operation_database_id_fkey" FOREIGN KEY ("database_id") REFERENCES "database"("id") ON DELETE SET NULL ON UPDATE CASCADE;
