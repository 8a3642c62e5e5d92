import { afterAll, beforeAll } from "vitest";
import { newId } from "../../ids.ts";
import { describeStorageContract } from "../storage.contract.ts";
import { s3Storage } from "./s3-storage.ts";
import { type S3Gateway, startGateway } from "./testing/rgw.ts";

let gateway: S3Gateway;
beforeAll(async () => {
  gateway = await startGateway();
}, 120_000);
afterAll(() => gateway.stop());

for (const prefix of ["", "team/nightly"]) {
  describeStorageContract(`S3, Ceph's gateway${prefix === "" ? "" : ", in a folder"}`, async () => {
    const config = {
      endpoint: gateway.endpoint,
      region: "us-east-1",
      bucket: `holdfast-${prefix === "" ? "whole" : "folder"}`,
      prefix,
      pathStyle: true,
      accessKey: gateway.accessKey,
    };
    const options = { installId: newId(), parts: { firstBytes: 5 * 1024 * 1024, doubleAfter: 3 } };
    const storage = s3Storage(config, gateway.secret, options);
    await storage.init({ createRoot: true });
    return {
      storage,
      second: s3Storage(config, gateway.secret, options),
      // Less is held in memory, and the store knows nothing of it.
      unfinishedBytes: 6 * 1024 * 1024,
      cleanUp: async () => undefined,
    };
  });
}
