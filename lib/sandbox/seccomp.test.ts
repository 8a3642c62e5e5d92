import { describe, expect, it } from "vitest";
import { seccompProgram } from "./seccomp.ts";

const ALLOW = 0x7fff0000;
const KILL = 0x80000000;
const EPERM = 0x00050001;
const ENOSYS = 0x00050026;

/** Runs the filter as the kernel does (classic BPF; struct seccomp_data holds nr, arch, ip, six arguments). */
function judge(arch: string, call: { nr: number; audit: number; argument?: number }): number {
  const program = seccompProgram(arch);
  if (!program) throw new Error("no program");
  const data = Buffer.alloc(64);
  data.writeUInt32LE(call.nr, 0);
  data.writeUInt32LE(call.audit, 4);
  data.writeUInt32LE(call.argument ?? 0, 16);
  let accumulator = 0;
  for (let at = 0; at < program.length / 8; ) {
    const code = program.readUInt16LE(at * 8);
    const [ifTrue, ifFalse] = [program.readUInt8(at * 8 + 2), program.readUInt8(at * 8 + 3)];
    const value = program.readUInt32LE(at * 8 + 4);
    at += 1;
    if (code === 0x20) accumulator = data.readUInt32LE(value);
    else if (code === 0x15) at += accumulator === value ? ifTrue : ifFalse;
    else if (code === 0x35) at += accumulator >= value ? ifTrue : ifFalse;
    else if (code === 0x45) at += (accumulator & value) !== 0 ? ifTrue : ifFalse;
    else if (code === 0x06) return value;
    else throw new Error(`unknown instruction ${code}`);
  }
  throw new Error("ran off the end");
}

describe.each([
  {
    arch: "x64",
    audit: 0xc000003e,
    read: 0,
    execve: 59,
    clone: 56,
    socket: 41,
    unshare: 272,
    mount: 165,
    setns: 308,
  },
  {
    arch: "arm64",
    audit: 0xc00000b7,
    read: 63,
    execve: 221,
    clone: 220,
    socket: 198,
    unshare: 97,
    mount: 40,
    setns: 268,
  },
])("the filter of $arch", ({ arch, audit, ...calls }) => {
  const run = (nr: number, argument?: number) =>
    judge(arch, { nr, audit, ...(argument === undefined ? {} : { argument }) });

  it("lets a server read, start programs and fork", () => {
    expect(run(calls.read)).toBe(ALLOW);
    expect(run(calls.execve)).toBe(ALLOW);
    // What fork() of the C library asks for: SIGCHLD, CLONE_CHILD_SETTID, CLONE_CHILD_CLEARTID.
    expect(run(calls.clone, 0x01200011)).toBe(ALLOW);
  });

  it("refuses namespaces and mounts in every way", () => {
    for (const call of [calls.unshare, calls.mount, calls.setns]) expect(run(call)).toBe(EPERM);
    for (const flag of [0x10000000, 0x00020000, 0x40000000, 0x20000000, 0x08000000, 0x04000000, 0x02000000]) {
      expect(run(calls.clone, flag | 17)).toBe(EPERM);
    }
    expect(run(435)).toBe(ENOSYS);
    expect(run(425)).toBe(EPERM);
  });

  it("allows unix and IP sockets only", () => {
    expect([1, 2, 10].map((family) => run(calls.socket, family))).toEqual([ALLOW, ALLOW, ALLOW]);
    // netlink, packet, AF_ALG, vsock
    expect([16, 17, 38, 40].map((family) => run(calls.socket, family))).toEqual([EPERM, EPERM, EPERM, EPERM]);
  });

  it("ends what calls under another processor's numbers", () => {
    expect(judge(arch, { nr: calls.read, audit: 0x40000003 })).toBe(KILL);
  });
});

it("refuses the x32 numbers, and has no filter for unknown processors", () => {
  expect(judge("x64", { nr: 0x40000000 + 272, audit: 0xc000003e })).toBe(EPERM);
  expect(seccompProgram("riscv64")).toBeNull();
});
