import { hosts as texts } from "../../lib/i18n/en/hosts.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import type { RefusedForm } from "../../lib/text/refused_form.ts";

const { t } = textsOf(texts);

/** Refusals that tell the host key which is to be compared. */
const KEY_CODES: ReadonlySet<string> = new Set(["HostKeyUnknown", "HostKeyChanged"]);

/** The host key that a refusal has told, to be confirmed. */
function shownKey(refused: RefusedForm | null, command: string): string | undefined {
  const isAsked = refused?.command === command && KEY_CODES.has(refused.failure.code);
  if (!isAsked) return undefined;
  return /SHA256:[A-Za-z0-9+/]{43}/.exec(refused.failure.why)?.[0];
}

/** Has a person confirm the host key that a refusal has told. */
export function HostKeyField({ command, refused }: { command: string; refused: RefusedForm | null }) {
  const key = shownKey(refused, command);
  if (key === undefined) return null;
  return (
    <div class="form-field wide">
      <label class="check">
        {/* What is left to do is far below what the page begins with */}
        <input type="checkbox" name="hostKey" value={key} required autofocus />
        <span>
          {t("hosts.key_same")} <span class="mono">{key}</span>
        </span>
      </label>
    </div>
  );
}
