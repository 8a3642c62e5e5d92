import { afterAll, beforeAll } from "vitest";
import { newId } from "../../ids.ts";
import { describeStorageContract } from "../storage.contract.ts";
import { sftpStorage } from "./sftp-storage.ts";
import { type SshServer, startSshServer } from "./testing/sshd.ts";

let server: SshServer;
beforeAll(async () => {
  server = await startSshServer();
}, 60_000);
afterAll(() => server.cleanUp());

describeStorageContract("SFTP, OpenSSH", async () => {
  const installId = newId();
  const secret = { privateKey: server.privateKey };
  const storage = sftpStorage(server.config, secret, installId);
  await storage.init();
  return { storage, second: sftpStorage(server.config, secret, installId), cleanUp: async () => undefined };
});
