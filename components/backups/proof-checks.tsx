/** What was checked beyond the tables, and with what. */

import { engineLabel } from "@/components/databases/engine-label";
import type { Tone } from "@/components/theme/theme";
import { KeyValues } from "@/components/ui/key-values";
import { Panel, Section } from "@/components/ui/section";
import { Status } from "@/components/ui/status";
import type { BackupDto } from "@/lib/backups/schema";
import { formatDuration } from "@/lib/format";
import type { ProofCheck } from "@/lib/proof/schema";
import classes from "./proof-checks.module.css";

const TONES: Record<ProofCheck["state"], Tone> = {
  passed: "ok",
  failed: "problem",
  "not compared": "unknown",
  unverifiable: "warning",
};

export function ProofChecks({ proof }: { proof: NonNullable<BackupDto["proof"]> }) {
  const tools = Object.entries(proof.tools).map(([name, version]) => `${name} ${version}`);
  const phases = Object.entries(proof.seconds)
    .filter(([, value]) => value > 0)
    .map(([name, value]) => `${name} ${formatDuration(value)}`);
  return (
    <>
      {proof.checks.length > 0 ? (
        <Section title="Checks">
          <Panel>
            <ul className={classes.checks}>
              {proof.checks.map((check) => (
                <li key={check.name}>
                  <Status tone={TONES[check.state]} detail={check.detail}>
                    {check.name}
                    {check.state === "passed" ? null : <span className={classes.state}>, {check.state}</span>}
                  </Status>
                </li>
              ))}
            </ul>
          </Panel>
        </Section>
      ) : null}
      <Section title="How it was proven">
        <Panel>
          <KeyValues
            items={[
              ["Copy", proof.destination],
              [
                "Sandbox",
                proof.sandbox
                  ? `${engineLabel(proof.sandbox.engine)} ${proof.sandbox.version}`
                  : "none was started",
              ],
              ["Isolation", proof.sandbox ? `${proof.sandbox.isolation}: ${proof.sandbox.detail}` : "–"],
              ["Tools", tools.join(", ") || "–"],
              ["Time", phases.join(", ") || "–"],
            ]}
          />
        </Panel>
      </Section>
    </>
  );
}
