import { chmod, mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { Client } from "pg";
import type { RunningServer } from "../embedded/postgres-server.ts";
import { canReach, initServer, serverUser, startServer } from "../embedded/postgres-server.ts";
import { reachableNative } from "../embedded/reachable-native.ts";
import type { Access } from "../engines/engine.ts";
import { findTestServer } from "./more-servers.ts";

const PASSWORD = "test-Password-1";

export interface TestPostgres {
  major: number;
  port: number;
  socketDir: string;
  dataDir: string;
  readonly server: RunningServer;
  /** As superuser postgres, over TCP. */
  url(database?: string): string;
  access(database?: string): Access;
  /** A connected client; the caller ends it. */
  client(database?: string): Promise<Client>;
  createDatabase(name: string): Promise<void>;
  /** Stops it as an admin would, which ends all sessions, and starts it again on the same port. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  return await new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}

/** Starts a real throwaway server of a major on a free port; superuser `postgres`. */
export async function startTestPostgres(
  options: { major?: number; settings?: Record<string, string> } = {},
): Promise<TestPostgres> {
  const major = options.major ?? 15;
  const found = findTestServer(major);
  if (!found) throw new Error(`PostgreSQL ${major} is not here: run npm ci, or npm run test:full`);
  const user = await serverUser();
  const nativeDir = canReach(user, path.join(found, "bin/postgres"))
    ? found
    : await reachableNative(found, user);
  const root = await mkdtemp(path.join(tmpdir(), `hf-pg${major}-`));
  await chmod(root, 0o755);
  const dataDir = path.join(root, "data");
  const socketDir = path.join(root, "s");
  const port = await freePort();
  await initServer({ nativeDir, dataDir, superuser: "postgres", password: PASSWORD, user });
  const settings = { fsync: "off", max_connections: "200", shared_buffers: "64MB", ...options.settings };
  const place = { nativeDir, dataDir, socketDir, port, tcp: true, user };
  const start = () => startServer({ ...place, settings, graceSeconds: 0, removeAfter: root });
  let server = await start();
  const url = (database = "postgres") => `postgresql://postgres:${PASSWORD}@127.0.0.1:${port}/${database}`;
  const client = async (database = "postgres") => {
    const made = new Client({ connectionString: url(database) });
    // The server may go away under an idle client; the next query tells.
    made.on("error", () => undefined);
    await made.connect();
    return made;
  };
  return {
    major,
    port,
    socketDir,
    dataDir,
    get server() {
      return server;
    },
    url,
    client,
    access: (database = "postgres") => ({
      connection: { host: "127.0.0.1", port, database, user: "postgres", tls: "disable" },
      password: PASSWORD,
    }),
    async createDatabase(name) {
      const admin = await client();
      try {
        await admin.query(`CREATE DATABASE "${name.replaceAll('"', '""')}"`);
      } finally {
        await admin.end();
      }
    },
    async restart() {
      await server.stop();
      server = await start();
    },
    async stop() {
      await server.stop();
      await rm(root, { recursive: true, force: true });
    },
  };
}
