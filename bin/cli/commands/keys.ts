import type { Command } from "commander";
import type { KeysDto } from "../../../lib/keys/schema.ts";
import type { Cli } from "../cli.ts";
import { print } from "../output.ts";

/** `holdfast keys rotate`. */
export function addKeyCommands(program: Command, cli: Cli): void {
  const keys = program.command("keys").description("keys of this install");

  keys
    .command("rotate")
    .description("make a new secret key and age identity; old ones stay while something needs them")
    .action(async () => {
      print(cli.json, await cli.client().post<KeysDto>("/keys/rotate"), (state) => {
        const secret = state.secretKeys.find((key) => key.active)?.id ?? "-";
        const recipient =
          state.recipients.find((entry) => entry.kind === "server" && entry.active)?.recipient ?? "-";
        return `Secret key ${secret}\nRecipient ${recipient}`;
      });
    });
}
