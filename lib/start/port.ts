import { createServer } from "node:net";
import { HoldfastError } from "../errors.ts";

/** Throws `invalid`, with the setting that helps, unless `host`:`port` can be listened on. */
export async function requirePort(host: string, port: number): Promise<void> {
  const code = await new Promise<string | null>((resolve) => {
    const probe = createServer();
    probe.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? "unknown"));
    probe.listen({ host, port, exclusive: true }, () => probe.close(() => resolve(null)));
  });
  if (code === null) return;
  throw portError(code, host, port);
}

/** What a failed listen means for the person who started it. */
export function portError(code: string, host: string, port: number): HoldfastError {
  if (code === "EADDRINUSE") {
    return new HoldfastError("invalid", `Port ${port} on ${host} is taken by another program.`, {
      remedy: `Choose another with PORT: PORT=${port === 65535 ? 3001 : port + 1} npm start`,
    });
  }
  if (code === "EACCES") {
    return new HoldfastError("invalid", `Port ${port} may not be used by an ordinary user.`, {
      remedy: "Choose one above 1023 with PORT: PORT=3000 npm start",
    });
  }
  return new HoldfastError("invalid", `HOST ${host} is not an address of this machine (${code}).`, {
    remedy: "Choose another with HOST: HOST=127.0.0.1 npm start",
  });
}
