// Imports go one way: app → components, lib; components → schemas, query keys and formats of lib; a capability →
// the shared parts of lib and other capabilities' verbs; nothing → app or worker.
const CAPABILITIES =
  "databases|environments|backups|destinations|policies|keys|members|tokens|overview|search|workers";
const FOUNDATIONS = "engines|storage|process|sandbox|proof|transfer|embedded";
const TESTS = "(\\.test\\.tsx?|\\.contract\\.ts|/testing/.*)$";

module.exports = {
  forbidden: [
    {
      name: "no-circular",
      severity: "error",
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
    {
      name: "nothing-imports-app",
      comment: "app is routing only; what others need lives in components or lib",
      severity: "error",
      from: { pathNot: "^app/" },
      to: { path: "^app/" },
    },
    {
      name: "nothing-imports-worker",
      severity: "error",
      from: { pathNot: `^worker/|${TESTS}` },
      to: { path: "^worker/" },
    },
    {
      name: "handlers-only-in-worker",
      comment: "handlers are heavy; web and verbs import the operation's definition",
      severity: "error",
      from: { pathNot: `^worker/|\\.handler\\.ts$|${TESTS}|^bench/` },
      to: { path: "\\.handler\\.ts$" },
    },
    {
      name: "components-see-schemas-only",
      comment: "what runs in the browser may not pull in the server",
      severity: "error",
      from: { path: "^components/", pathNot: TESTS },
      to: {
        path: "^lib/",
        pathNot: "/(schema|query-keys|manifest)\\.ts$|^lib/(format|api-client|paging)\\.ts$",
        dependencyTypesNot: ["type-only"],
      },
    },
    {
      name: "schemas-are-safe-in-the-browser",
      severity: "error",
      from: { path: "^lib/.*/(schema|query-keys)\\.ts$" },
      to: {
        path: "^lib/",
        pathNot: "(schema|manifest|paging|errors)\\.ts$",
        dependencyTypesNot: ["type-only"],
      },
    },
    {
      name: "foundations-know-no-capability",
      severity: "error",
      from: { path: `^lib/(${FOUNDATIONS})/`, pathNot: TESTS },
      to: {
        path: `^lib/(${CAPABILITIES}|operations|api|actions)/`,
        pathNot: "(schema|manifest)\\.ts$",
        dependencyTypesNot: ["type-only"],
      },
    },
    {
      name: "engines-and-storage-know-no-database-of-ours",
      severity: "error",
      from: { path: "^lib/(engines|storage|process|sandbox|transfer|proof)/", pathNot: TESTS },
      to: { path: "^lib/(db|auth|audit|secrets|events)/" },
    },
    {
      name: "no-dev-dependencies-in-production",
      severity: "error",
      from: { path: "^(app|components|lib|worker)/", pathNot: TESTS },
      to: { dependencyTypes: ["npm-dev"] },
    },
    { name: "resolvable", severity: "error", from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: ["node_modules", "lib/db/generated"] },
    exclude: { path: ["\\.next/", "lib/db/generated"] },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "require", "node", "default", "types"],
      extensions: [".ts", ".tsx", ".mjs", ".js", ".json"],
    },
  },
};
