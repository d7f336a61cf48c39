/** The server's settings, for verbs about this host: its variables, its file, and the flags said to the verb. */
import { message, render } from "../lib/i18n/message.ts";
import { readSettings, type Settings, SettingsError } from "../agent/settings.ts";
import { environment } from "./environment.ts";
import { PLAIN_OUTPUTS } from "./verb/output.ts";

/** Flags of the places that every such verb takes, for `parseArgs`. */
export const PLACE_OPTIONS = {
  "data-dir": { type: "string" },
  "runtime-dir": { type: "string" },
  config: { type: "string" },
} as const;

/** The settings with those flags that were said. @throws {SettingsError} */
export function hostSettings<Flags extends Readonly<Record<string, { type: "string" }>>>(
  flags: Flags,
  values: { readonly [F in keyof Flags]?: string | undefined },
): Settings {
  const said = Object.keys(flags).flatMap((flag) => {
    const value = values[flag];
    return value === undefined ? [] : [`--${flag}`, value];
  });
  return readSettings(said, environment());
}

/** How to print, of `-o`. @throws {SettingsError} */
export function plainOutput(said = "table"): typeof PLAIN_OUTPUTS[number] {
  const format = PLAIN_OUTPUTS.find((each) => each === said);
  if (!format) throw new SettingsError(render(message`--output must be one of ${PLAIN_OUTPUTS.join(", ")}`));
  return format;
}
