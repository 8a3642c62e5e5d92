-- CreateTable
CREATE TABLE "operation_clean_up" (
    "operation_id" UUID NOT NULL,
    "attempt" INTEGER NOT NULL,
    "pool" TEXT NOT NULL,
    "state" "OperationState" NOT NULL,
    "reason" TEXT NOT NULL,
    "retry" BOOLEAN NOT NULL,
    "told" BOOLEAN NOT NULL DEFAULT false,
    "tries" INTEGER NOT NULL DEFAULT 0,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "operation_clean_up_pkey" PRIMARY KEY ("operation_id","attempt")
);
