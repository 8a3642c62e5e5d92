import { totalmem } from "node:os";

/** What one sandbox may take. Memory and file size are per process: the kernel offers no more without cgroups. */
export interface SandboxLimits {
  /** Address space of each process, in bytes. */
  memoryBytes: number;
  processes: number;
  /** Largest single file, in bytes. */
  fileBytes: number;
  /** Shared memory and other files in memory, in bytes. */
  sharedMemoryBytes: number;
}

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;

/** Limits that fit this machine: at most half of its memory per process, and never above 4 GiB. */
export function defaultLimits(machineBytes: number = totalmem()): SandboxLimits {
  return {
    memoryBytes: Math.max(GIB, Math.min(4 * GIB, Math.floor(machineBytes / 2))),
    processes: 256,
    // PostgreSQL cuts its files at 1 GiB.
    fileBytes: GIB + 64 * MIB,
    sharedMemoryBytes: Math.max(64 * MIB, Math.min(512 * MIB, Math.floor(machineBytes / 8))),
  };
}
