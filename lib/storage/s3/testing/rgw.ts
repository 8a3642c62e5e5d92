import { type ChildProcess, execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { freePort } from "../../../testing/postgres.ts";

const run = promisify(execFile);

export interface S3Gateway {
  endpoint: string;
  accessKey: string;
  secret: string;
  /** For a second user without any bucket of its own. */
  addUser(name: string): Promise<{ accessKey: string; secret: string }>;
  stop(): Promise<void>;
}

/** Nothing of the install that is tested stands in it. */
const PLAIN: NodeJS.ProcessEnv = { NODE_ENV: "test", PATH: process.env.PATH };

/** What has to be installed for it. */
export const RGW_INSTALL =
  "apt-get install -y --no-install-recommends ceph-mon ceph-osd ceph-mgr ceph-common radosgw";

/**
 * A real S3 store on a free port: one Ceph node (one monitor, one object daemon in memory, the gateway), ready in some
 * ten seconds. Object lock, versions, multipart uploads, signatures and conditional writes are as in production.
 */
export async function startGateway(): Promise<S3Gateway> {
  if (!existsSync("/usr/bin/radosgw")) {
    throw new Error(`The S3 tests need Ceph's gateway: ${RGW_INSTALL}`);
  }
  const folder = await mkdtemp(path.join(tmpdir(), "hf-rgw-"));
  const daemons: ChildProcess[] = [];
  const stop = async () => {
    for (const daemon of daemons.reverse()) await ended(daemon);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const [monitor, gateway] = [await freePort(), await freePort()];
    const conf = path.join(folder, "ceph.conf");
    await prepare(folder, conf, monitor, gateway);
    const ceph = (...args: string[]) => run("ceph", ["-c", conf, "--connect-timeout", "5", ...args]);
    const start = (program: string, ...args: string[]) => {
      const child = spawn(program, ["-f", ...args, "-c", conf], { stdio: "ignore", env: PLAIN });
      daemons.push(child);
    };
    start("ceph-mon", "-i", "a");
    await until(() => ceph("mon", "stat"));
    const { stdout: uuid } = await run("cat", ["/proc/sys/kernel/random/uuid"]);
    await ceph("osd", "new", uuid.trim());
    await run("ceph-osd", ["-i", "0", "--mkfs", "--osd-uuid", uuid.trim(), "-c", conf]);
    await ceph("auth", "import", "-i", path.join(folder, "keyring"));
    start("ceph-osd", "-i", "0");
    await until(async () => {
      const { stdout } = await ceph("osd", "stat");
      if (!stdout.includes("1 up")) throw new Error("not yet");
    });
    start("radosgw", "-n", "client.rgw.a");
    const endpoint = `http://127.0.0.1:${gateway}`;
    await until(() => fetch(endpoint));
    const addUser = async (name: string) => {
      const keys = { accessKey: `ACCESS${name.toUpperCase()}`, secret: `secret-of-${name}` };
      await run("radosgw-admin", [
        ...["-n", "client.rgw.a", "-c", conf, "user", "create", `--uid=${name}`, `--display-name=${name}`],
        ...[`--access-key=${keys.accessKey}`, `--secret=${keys.secret}`],
      ]);
      return keys;
    };
    return { endpoint, ...(await addUser("holdfast")), addUser, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function prepare(folder: string, conf: string, monitor: number, gateway: number): Promise<void> {
  for (const name of ["mon", "osd", "rgw", "log", "run"]) await mkdir(path.join(folder, name));
  const fsid = crypto.randomUUID();
  await writeFile(
    conf,
    `[global]
fsid = ${fsid}
mon host = v2:127.0.0.1:${monitor}
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
public addr = 127.0.0.1
cluster addr = 127.0.0.1
run dir = ${folder}/run
admin socket = ${folder}/run/$name.asok
log file = ${folder}/log/$name.log
pid file = ${folder}/run/$name.pid
keyring = ${folder}/keyring
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd pool default pgp num = 4
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon max pg per osd = 1000
mon cluster log file = ${folder}/log/cluster.log
osd objectstore = memstore
memstore device bytes = 4294967296
osd data = ${folder}/osd
mon data = ${folder}/mon
[client.rgw.a]
rgw frontends = beast endpoint=127.0.0.1:${gateway}
rgw data = ${folder}/rgw
rgw enable apis = s3
rgw dns name = localhost
`,
  );
  const keyring = path.join(folder, "keyring");
  const key = (name: string, ...caps: string[]) =>
    run("ceph-authtool", [
      keyring,
      "--gen-key",
      "-n",
      name,
      ...caps.flatMap((cap) => ["--cap", ...cap.split("=")]),
    ]);
  await run("ceph-authtool", [
    "--create-keyring",
    keyring,
    "--gen-key",
    "-n",
    "mon.",
    "--cap",
    "mon",
    "allow *",
  ]);
  await key("client.admin", "mon=allow *", "osd=allow *", "mds=allow *", "mgr=allow *");
  await key("client.rgw.a", "mon=allow rw", "osd=allow rwx", "mgr=allow rw");
  await key("osd.0", "mon=allow profile osd", "osd=allow *", "mgr=allow profile osd");
  const map = path.join(folder, "monmap");
  await run("monmaptool", ["--create", "--fsid", fsid, "--addv", "a", `[v2:127.0.0.1:${monitor}]`, map]);
  await run("ceph-mon", ["--mkfs", "-i", "a", "--monmap", map, "--keyring", keyring, "-c", conf]);
}

async function until(ready: () => Promise<unknown>): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      await ready();
      return;
    } catch (error) {
      if (tries > 600) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

async function ended(daemon: ChildProcess): Promise<void> {
  if (daemon.exitCode !== null || daemon.signalCode !== null) return;
  const gone = new Promise((resolve) => daemon.once("exit", resolve));
  daemon.kill("SIGKILL");
  await gone;
}
