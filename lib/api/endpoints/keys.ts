import { confirmRecoveryKit } from "../../keys/confirm-recovery-kit.ts";
import { getKeys } from "../../keys/get-keys.ts";
import { makeRecoveryKit } from "../../keys/make-recovery-kit.ts";
import { rotateKeys } from "../../keys/rotate-keys.ts";
import { confirmKitInput, keysSchema, recoveryKitSchema } from "../../keys/schema.ts";
import { endpoint } from "../endpoint.ts";

const tag = "Keys";

export const keyEndpoints = [
  endpoint({
    method: "GET",
    path: "/keys",
    tag,
    summary: "Public names of the keys, and the state of the recovery kit",
    permission: "read",
    output: keysSchema,
    handle: (ctx) => getKeys(ctx),
  }),
  endpoint({
    method: "POST",
    path: "/keys/rotate",
    tag,
    summary: "New secret key and identity; old ones stay while something needs them",
    permission: "key.write",
    output: keysSchema,
    handle: (ctx) => rotateKeys(ctx),
  }),
  endpoint({
    method: "POST",
    path: "/keys/recovery-kit",
    tag,
    summary: "Make a recovery kit, answered once",
    permission: "key.write",
    output: recoveryKitSchema,
    status: 201,
    handle: (ctx) => makeRecoveryKit(ctx),
  }),
  endpoint({
    method: "POST",
    path: "/keys/recovery-kit/confirm",
    tag,
    summary: "Confirm the newest recovery kit by its last 8 characters",
    permission: "key.write",
    body: confirmKitInput,
    output: keysSchema,
    handle: (ctx, { body }) => confirmRecoveryKit(ctx, body),
  }),
];
