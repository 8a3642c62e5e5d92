import { endianness } from "node:os";

/** System call numbers and the audit name of a processor (Linux: arch/x86/entry/syscalls, asm-generic/unistd.h). */
interface Calls {
  audit: number;
  clone: number;
  socket: number;
  denied: number[];
}

const CLONE3 = 435;
/** The same numbers everywhere since Linux 5.1: io_uring and the new mount interface. */
const DENIED_EVERYWHERE = [425, 426, 427, 428, 429, 430, 431, 432, 442];

const CALLS: Record<string, Calls> = {
  x64: {
    audit: 0xc000003e,
    clone: 56,
    socket: 41,
    // ptrace syslog pivot_root acct mount umount2 swapon swapoff reboot init_module delete_module quotactl
    // add_key request_key keyctl kexec_load unshare perf_event_open name_to_handle_at open_by_handle_at setns
    // process_vm_readv process_vm_writev finit_module kexec_file_load bpf userfaultfd
    denied: [
      101, 103, 155, 163, 165, 166, 167, 168, 169, 175, 176, 179, 248, 249, 250, 246, 272, 298, 303, 304, 308,
      310, 311, 313, 320, 321, 323,
    ],
  },
  arm64: {
    audit: 0xc00000b7,
    clone: 220,
    socket: 198,
    denied: [
      117, 116, 41, 89, 40, 39, 224, 225, 142, 105, 106, 60, 217, 218, 219, 104, 97, 241, 264, 265, 268, 270,
      271, 273, 294, 280, 282,
    ],
  },
};

const ALLOW = 0x7fff0000;
const KILL = 0x80000000;
const EPERM = 0x00050001;
const ENOSYS = 0x00050026;
const LOAD = 0x20;
const JUMP_EQUAL = 0x15;
const JUMP_GREATER_EQUAL = 0x35;
const JUMP_ANY_BIT = 0x45;
const RETURN = 0x06;

/** CLONE_NEW{NS,CGROUP,UTS,IPC,USER,PID,NET}. */
const NEW_NAMESPACES = 0x7e020000;
/** Unix, IPv4 and IPv6; above all not vsock, which no network namespace holds back. */
const SOCKET_FAMILIES = [1, 2, 10];

/**
 * A classic BPF program (seccomp(2), struct sock_filter) for a sandboxed server: no namespaces of its own, no
 * mounts, no tracing, no kernel interfaces that a database never needs, no sockets but unix and IP. Null for
 * processors whose numbers are not in the table.
 */
export function seccompProgram(arch: string = process.arch): Buffer | null {
  const calls = CALLS[arch];
  if (!calls || endianness() !== "LE") return null;
  const program: [code: number, ifTrue: number, ifFalse: number, value: number][] = [];
  const returnIf = (jump: number, value: number, result: number) => {
    program.push([jump, 0, 1, value], [RETURN, 0, 0, result]);
  };
  program.push([LOAD, 0, 0, 4], [JUMP_EQUAL, 1, 0, calls.audit], [RETURN, 0, 0, KILL], [LOAD, 0, 0, 0]);
  // The x32 numbers of x86-64 would go round the list.
  if (arch === "x64") returnIf(JUMP_GREATER_EQUAL, 0x40000000, EPERM);
  for (const call of [...calls.denied, ...DENIED_EVERYWHERE]) returnIf(JUMP_EQUAL, call, EPERM);
  // Its flags lie in memory, out of a filter's sight; C libraries then use clone.
  returnIf(JUMP_EQUAL, CLONE3, ENOSYS);
  program.push([JUMP_EQUAL, 0, 4, calls.clone], [LOAD, 0, 0, 16]);
  returnIf(JUMP_ANY_BIT, NEW_NAMESPACES, EPERM);
  program.push([RETURN, 0, 0, ALLOW]);
  program.push([JUMP_EQUAL, 0, 1 + SOCKET_FAMILIES.length * 2 + 1, calls.socket], [LOAD, 0, 0, 16]);
  for (const family of SOCKET_FAMILIES) returnIf(JUMP_EQUAL, family, ALLOW);
  program.push([RETURN, 0, 0, EPERM], [RETURN, 0, 0, ALLOW]);

  const bytes = Buffer.alloc(program.length * 8);
  program.forEach(([code, ifTrue, ifFalse, value], index) => {
    bytes.writeUInt16LE(code, index * 8);
    bytes.writeUInt8(ifTrue, index * 8 + 2);
    bytes.writeUInt8(ifFalse, index * 8 + 3);
    bytes.writeUInt32LE(value, index * 8 + 4);
  });
  return bytes;
}
