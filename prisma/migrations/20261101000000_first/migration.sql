-- CreateSchema
CREATE SCHEMA IF NOT EXISTS "public";

-- CreateTable
CREATE TABLE "log_identity" (
    "id" INTEGER NOT NULL DEFAULT 1,
    "origin" TEXT NOT NULL,
    "logKey" TEXT NOT NULL,
    "coordinatorKey" TEXT NOT NULL,

    CONSTRAINT "log_identity_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "statement" (
    "position" INTEGER NOT NULL,
    "digest" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "type" TEXT NOT NULL,
    "signer" TEXT NOT NULL,
    "kid" TEXT NOT NULL,
    "jws" TEXT NOT NULL,
    "attachment" TEXT,
    "contract" TEXT,
    "run" TEXT,
    "leafIndex" INTEGER,
    "leaf" TEXT,
    "recordedAt" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "statement_pkey" PRIMARY KEY ("position")
);

-- CreateTable
CREATE TABLE "run" (
    "id" TEXT NOT NULL,
    "contract" TEXT NOT NULL,
    "computation" TEXT NOT NULL,
    "requester" TEXT NOT NULL,
    "requestedAt" TIMESTAMPTZ(3) NOT NULL,
    "state" TEXT NOT NULL,
    "ended" BOOLEAN NOT NULL,
    "version" INTEGER NOT NULL,
    "round" INTEGER NOT NULL,
    "deadlineAt" TIMESTAMPTZ(3),
    "record" JSONB NOT NULL,

    CONSTRAINT "run_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "worker" (
    "thumbprint" TEXT NOT NULL,
    "publicKey" TEXT NOT NULL,
    "tee" TEXT NOT NULL,
    "measurement" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "run" TEXT,
    "registeredAt" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "worker_pkey" PRIMARY KEY ("thumbprint")
);

-- CreateTable
CREATE TABLE "event" (
    "cursor" INTEGER NOT NULL,
    "kind" TEXT NOT NULL,
    "contract" TEXT,
    "run" TEXT,
    "party" TEXT,
    "size" INTEGER,
    "recordedAt" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "event_pkey" PRIMARY KEY ("cursor")
);

-- CreateTable
CREATE TABLE "cosignature" (
    "size" INTEGER NOT NULL,
    "witness" TEXT NOT NULL,
    "line" TEXT NOT NULL,
    "recordedAt" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "cosignature_pkey" PRIMARY KEY ("size","witness")
);

-- CreateTable
CREATE TABLE "invitation" (
    "secretDigest" TEXT NOT NULL,
    "label" TEXT NOT NULL,
    "expiresAt" TIMESTAMPTZ(3) NOT NULL,
    "usedBy" TEXT,

    CONSTRAINT "invitation_pkey" PRIMARY KEY ("secretDigest")
);

-- CreateTable
CREATE TABLE "upload" (
    "digest" TEXT NOT NULL,
    "party" TEXT NOT NULL,
    "size" BIGINT NOT NULL,
    "run" TEXT,
    "startedAt" TIMESTAMPTZ(3) NOT NULL,
    "storedAt" TIMESTAMPTZ(3),

    CONSTRAINT "upload_pkey" PRIMARY KEY ("digest","party")
);

-- CreateTable
CREATE TABLE "used_token" (
    "jti" TEXT NOT NULL,
    "expiresAt" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "used_token_pkey" PRIMARY KEY ("jti")
);

-- CreateIndex
CREATE UNIQUE INDEX "statement_digest_key" ON "statement"("digest");

-- CreateIndex
CREATE UNIQUE INDEX "statement_leafIndex_key" ON "statement"("leafIndex");

-- CreateIndex
CREATE INDEX "statement_id_idx" ON "statement"("id");

-- CreateIndex
CREATE INDEX "statement_signer_type_idx" ON "statement"("signer", "type");

-- CreateIndex
CREATE INDEX "statement_run_idx" ON "statement"("run");

-- CreateIndex
CREATE INDEX "statement_contract_type_idx" ON "statement"("contract", "type");

-- CreateIndex
CREATE INDEX "run_contract_idx" ON "run"("contract");

-- CreateIndex
CREATE INDEX "run_ended_idx" ON "run"("ended");

-- CreateIndex
CREATE INDEX "worker_state_idx" ON "worker"("state");

-- CreateIndex
CREATE INDEX "event_contract_cursor_idx" ON "event"("contract", "cursor");

-- CreateIndex
CREATE INDEX "used_token_expiresAt_idx" ON "used_token"("expiresAt");
