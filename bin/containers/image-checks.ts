import { existsSync } from "node:fs";
import { messageOf } from "../../lib/errors.ts";
import { run } from "./engine.ts";
import { assert } from "./project.ts";
import type { Check } from "./stage.ts";

const words = (name: string) => (process.env[name] ?? "").split(/\s+/).filter((word) => word !== "");

/** Everything that is in the repository and has no place in an image, or must never be there. */
const NOT_IN_IMAGE = [".git", ".env", "data", "e2e", "bench", "bin/containers", "node_modules/vitest"];

export const imageChecks: Check[] = [
  {
    name: "the compose file is valid",
    async run({ project }) {
      await run([...project.engine.compose, "-f", "docker-compose.yml", "config", "-q"], {
        env: project.env,
      });
      return undefined;
    },
  },
  {
    name: "the image builds",
    essential: true,
    async run({ project, image }) {
      const args = words("HOLDFAST_BUILD_ARGS").flatMap((arg) => ["--build-arg", arg]);
      const authority = process.env.EXTRA_CA;
      assert(!authority || existsSync(authority), `EXTRA_CA names ${authority}, which is not there`);
      if (authority) args.push("--secret", `id=extra_ca,src=${authority}`);
      if (project.engine.name === "podman") args.push("--format", "docker");
      const build = [
        project.engine.name,
        "build",
        ...words("HOLDFAST_BUILD_FLAGS"),
        ...args,
        "-t",
        image,
        ".",
      ];
      await run(build, { env: project.engine.env, show: true }).catch((error: unknown) => {
        throw new Error(
          `${messageOf(error)}docs/deploy.md, "The checks", says how to build without a registry.`,
        );
      });
      const [{ Size }] = JSON.parse(await project.run(["image", "inspect", image])) as [{ Size: number }];
      return `${(Size / 1e6).toFixed(0)} MB`;
    },
  },
  {
    name: "the image holds the tools, no secret, and runs as nobody in particular",
    async run({ project, image }) {
      const inImage = (script: string, ...as: string[]) =>
        project.run(["run", "--rm", "--network", "none", ...as, image, "sh", "-c", script]);
      const asRoot = async (script: string) => (await inImage(script, "--user", "0")).trim();
      const uid = (await inImage("id -u")).trim();
      assert(uid === "10001", `it runs as uid ${uid}`);
      const found = await asRoot(`ls -d ${NOT_IN_IMAGE.join(" ")} 2>/dev/null || true`);
      assert(found === "", `it holds ${found.replaceAll("\n", ", ")}`);
      const owned = await asRoot("find / -xdev -path /proc -prune -o -uid 10001 -print | sort");
      assert(
        owned === "/data\n/keys\n/work",
        `its user owns more or less than its folders: ${owned.slice(0, 300)}`,
      );
      const suid = await asRoot("find /app -perm /6000");
      assert(suid === "", `programs with the setuid bit: ${suid}`);
      const majors = (await inImage("ls /usr/lib/postgresql")).trim().split(/\s+/);
      assert(majors.length > 0, "it holds no PostgreSQL client tools");
      for (const major of majors) await inImage(`/usr/lib/postgresql/${major}/bin/pg_dump --version`);
      for (const tool of ["age --version", "zstd --version", "bwrap --version"]) await inImage(tool);
      return `PostgreSQL client tools ${majors.join(", ")}`;
    },
  },
];
