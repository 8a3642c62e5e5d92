import { type ChildProcess, execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createConnection } from "node:net";
import { tmpdir, userInfo } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { freePort } from "../../../testing/postgres.ts";
import type { SftpConfig } from "../sftp-schema.ts";

const run = promisify(execFile);
const SSHD = "/usr/sbin/sshd";

export interface SshServer {
  config: SftpConfig;
  /** Of the user that may log in. */
  privateKey: string;
  /** Encrypted with "pass phrase". */
  lockedKey: string;
  /** The folder that `config` points to, not made yet. */
  folder: string;
  /** Gives the server another host key, as after a reinstall or an attack. */
  changeHostKey(): Promise<string>;
  start(): Promise<void>;
  /** Ends the server and all its connections. */
  stop(): Promise<void>;
  cleanUp(): Promise<void>;
}

/** OpenSSH's own server on a free port, for this user, with keys made for the occasion; `deny`: "read,remove". */
export async function startSshServer(options: { deny?: string } = {}): Promise<SshServer> {
  if (!existsSync(SSHD))
    throw new Error("The SFTP tests need OpenSSH's server: apt-get install -y openssh-server");
  const root = await mkdtemp(path.join(tmpdir(), "hf-sshd-"));
  const port = await freePort();
  const at = (name: string) => path.join(root, name);
  const makeKey = async (name: string, phrase = "") => {
    await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", phrase, "-f", at(name)]);
    return await readFile(at(name), "utf8");
  };
  await makeKey("host");
  const privateKey = await makeKey("user");
  const lockedKey = await makeKey("locked", "pass phrase");
  await writeFile(
    at("authorized"),
    (await readFile(at("user.pub"), "utf8")) + (await readFile(at("locked.pub"), "utf8")),
  );
  await chmod(at("authorized"), 0o600);
  await writeFile(
    at("config"),
    `Port ${port}
ListenAddress 127.0.0.1
HostKey ${at("host")}
PidFile ${at("pid")}
AuthorizedKeysFile ${at("authorized")}
StrictModes no
UsePAM no
PasswordAuthentication no
MaxStartups 100
Subsystem sftp internal-sftp${options.deny ? ` -P ${options.deny}` : ""}
`,
  );
  if (process.getuid?.() === 0) await mkdir("/run/sshd", { recursive: true });
  let server: ChildProcess | null = null;
  const fingerprint = async () => {
    const { stdout } = await run("ssh-keygen", ["-l", "-f", at("host.pub")]);
    return /SHA256:\S+/.exec(stdout)?.[0] ?? "";
  };
  const made: SshServer = {
    config: {
      host: "127.0.0.1",
      port,
      user: userInfo().username,
      folder: at("backups"),
      hostKey: await fingerprint(),
    },
    privateKey,
    lockedKey,
    folder: at("backups"),
    async changeHostKey() {
      await rm(at("host"));
      await rm(at("host.pub"));
      await makeKey("host");
      return await fingerprint();
    },
    async start() {
      // In the foreground, in a group of its own: each connection is a process below it.
      // Its environment is not that of the install that is tested.
      const env: NodeJS.ProcessEnv = { NODE_ENV: "test", PATH: process.env.PATH };
      const args = ["-D", "-f", at("config"), "-E", at("log")];
      server = spawn(SSHD, args, { stdio: "ignore", detached: true, env });
      await listening(port);
    },
    async stop() {
      const ending = server;
      server = null;
      if (ending?.pid === undefined || ending.exitCode !== null) return;
      const gone = new Promise((resolve) => ending.once("exit", resolve));
      await endBelow(ending.pid);
      ending.kill("SIGKILL");
      await gone;
    },
    async cleanUp() {
      await made.stop();
      await rm(root, { recursive: true, force: true });
    },
  };
  await made.start();
  return made;
}

/** Each connection leaves the server's group. */
async function endBelow(pid: number): Promise<void> {
  const { stdout } = await run("ps", ["-o", "pid=", "--ppid", String(pid)]).catch(() => ({ stdout: "" }));
  for (const child of stdout.split("\n").map(Number).filter(Boolean)) {
    await endBelow(child);
    try {
      process.kill(child, "SIGKILL");
    } catch {
      // Gone already.
    }
  }
}

async function listening(port: number): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = createConnection({ host: "127.0.0.1", port }, () => {
        socket.destroy();
        resolve(true);
      });
      socket.once("error", () => resolve(false));
    });
    if (open) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("sshd did not start");
}
