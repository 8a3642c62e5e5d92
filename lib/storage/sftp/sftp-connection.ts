import { createHash, timingSafeEqual } from "node:crypto";
import type { Socket } from "node:net";
import { promisify } from "node:util";
import { Client, type ConnectConfig, type SFTPWrapper } from "ssh2";
import { HoldfastError } from "../../errors.ts";
import { guardedSocket } from "../../network/guarded-lookup.ts";
import { markLost } from "./sftp-call.ts";
import { sftpFault } from "./sftp-faults.ts";
import type { SftpConfig, SftpSecret } from "./sftp-schema.ts";

const CONNECT_MS = 15_000;
/** A connection that is silent for so long is asked; the second unanswered time ends it. */
const ASK_MS = 10_000;
/** An idle connection is closed, so that whoever used the destination need not. */
const IDLE_MS = 3_000;

interface Connection {
  client: Client;
  sftp: SFTPWrapper;
}

/** The fingerprint of a host's key as ssh-keygen -l shows it. */
export function fingerprintOf(key: Buffer): string {
  return `SHA256:${createHash("sha256").update(key).digest("base64").replace(/=+$/, "")}`;
}

/** Asks a server for its key, without logging in; for an admin to compare before it is pinned. */
export async function readHostKey(place: { host: string; port: number }): Promise<string> {
  const client = new Client();
  return await new Promise<string>((resolve, reject) => {
    client.on("error", (error) => reject(sftpFault(error, place)));
    client.connect({
      ...place,
      sock: socketTo(place),
      username: "holdfast",
      readyTimeout: CONNECT_MS,
      hostVerifier: (key: Buffer) => {
        resolve(fingerprintOf(key));
        return false;
      },
    });
  }).finally(() => client.destroy());
}

/** One connection to one destination, made at the first use and closed when nobody uses it any more. */
export class SftpConnection {
  readonly #config: SftpConfig;
  readonly #secret: SftpSecret;
  #open: Promise<Connection> | null = null;
  #users = 0;
  #idle: NodeJS.Timeout | null = null;

  constructor(config: SftpConfig, secret: SftpSecret) {
    this.#config = config;
    this.#secret = secret;
  }

  /** Takes the connection for a while; `release` gives it back. */
  async take(): Promise<{ sftp: SFTPWrapper; release: () => void }> {
    this.#users++;
    if (this.#idle) clearTimeout(this.#idle);
    let released = false;
    const release = () => {
      if (released) return;
      released = true;
      this.#users--;
      if (this.#users === 0) this.#closeSoon();
    };
    try {
      this.#open ??= this.#connect();
      const { sftp } = await this.#open;
      return { sftp, release };
    } catch (error) {
      this.#open = null;
      release();
      throw error;
    }
  }

  async use<T>(work: (sftp: SFTPWrapper) => Promise<T>): Promise<T> {
    const { sftp, release } = await this.take();
    try {
      return await work(sftp);
    } finally {
      release();
    }
  }

  #closeSoon(): void {
    this.#idle = setTimeout(() => {
      const open = this.#open;
      this.#open = null;
      void open?.then(
        ({ client }) => client.end(),
        () => undefined,
      );
    }, IDLE_MS);
    this.#idle.unref();
  }

  async #connect(): Promise<Connection> {
    const { host, port, user, hostKey } = this.#config;
    const { password, privateKey, passphrase } = this.#secret;
    const client = new Client();
    let shown: string | null = null;
    const settings: ConnectConfig = {
      host,
      port,
      sock: socketTo({ host, port }),
      username: user,
      readyTimeout: CONNECT_MS,
      keepaliveInterval: ASK_MS,
      keepaliveCountMax: 2,
      hostVerifier: (key: Buffer) => {
        shown = fingerprintOf(key);
        return timingSafeEqual(sum(shown), sum(hostKey));
      },
      ...(password === undefined ? {} : { password }),
      ...(privateKey === undefined ? {} : { privateKey }),
      ...(passphrase === undefined ? {} : { passphrase }),
    };
    try {
      await new Promise<void>((resolve, reject) => {
        client.once("ready", resolve);
        client.on("error", reject);
        client.once("close", () => reject(new Error("the server closed the connection")));
        client.connect(settings);
      });
      // Without it each small packet waits for the answer to the one before: 2 to 8 MB/s instead of 150.
      client.setNoDelay(true);
      const sftp = await promisify(client.sftp.bind(client))();
      const connection = { client, sftp };
      // A server that has gone shows as an end that is followed by nothing.
      client.once("end", () => client.destroy());
      const lose = () => {
        markLost(sftp);
        this.#forget(connection);
      };
      client.once("end", lose).once("close", lose);
      return connection;
    } catch (error) {
      client.destroy();
      if (shown !== null && shown !== hostKey) throw otherKey(this.#config, shown);
      throw sftpFault(error, this.#config);
    }
  }

  #forget(connection: Connection): void {
    const open = this.#open;
    void open?.then(
      (now) => {
        if (now === connection && this.#open === open) this.#open = null;
      },
      () => undefined,
    );
  }
}

/** On its way there; the address is judged as it connects. */
function socketTo({ host, port }: { host: string; port: number }): Socket {
  return guardedSocket().connect(port, host);
}

function sum(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

function otherKey({ host, hostKey }: SftpConfig, shown: string): HoldfastError {
  return new HoldfastError(
    "refused",
    `${host} shows another host key than the one that is pinned: ${shown} instead of ${hostKey}. Nothing was sent.`,
    {
      remedy:
        "Ask its admin whether the key was changed. If so, enter the new fingerprint; if not, somebody is in between.",
      fields: { "config.hostKey": `The server shows ${shown}.` },
    },
  );
}
