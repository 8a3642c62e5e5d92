-- AlterTable
ALTER TABLE "api_token" ADD COLUMN     "owner_id" UUID;

-- AlterTable
ALTER TABLE "install" ADD COLUMN     "audit_check_after" TIMESTAMPTZ(3);

-- CreateIndex
CREATE INDEX "api_token_owner_id_idx" ON "api_token"("owner_id");

-- AddForeignKey
ALTER TABLE "api_token" ADD CONSTRAINT "api_token_owner_id_fkey" FOREIGN KEY ("owner_id") REFERENCES "user_account"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- Tokens that are there already belong to the person who made them, or made the token that made them.
WITH RECURSIVE owned (id, owner) AS (
  SELECT t.id, u.id FROM api_token t JOIN user_account u ON t.created_by = u.id::text
  UNION ALL
  SELECT t.id, o.owner FROM api_token t JOIN owned o ON t.created_by = o.id::text
)
UPDATE api_token SET owner_id = owned.owner FROM owned WHERE api_token.id = owned.id;
