-- CreateIndex
CREATE INDEX "operation_actor_id_created_at_id_idx" ON "operation"("actor_id", "created_at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "operation_actor_name_created_at_id_idx" ON "operation"("actor_name", "created_at" DESC, "id" DESC);
