import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { CurrentPasswordField } from "../components/access/CurrentPasswordField.tsx";
import { PasskeyTrouble } from "../components/access/PasskeyTrouble.tsx";
import { TextField } from "../components/kit/Field.tsx";
import { api } from "../lib/client/api.ts";
import { leave } from "../lib/client/toasts.ts";
import { hasPasskeys, makePasskey } from "../lib/client/passkeys.ts";
import { presentPasswordIn } from "../lib/access/forms.ts";
import { textIn } from "../lib/text/form_fields.ts";
import { passkeys } from "../lib/i18n/en/passkeys.ts";
import { textsOf } from "../lib/i18n/mod.ts";

const { t } = textsOf(passkeys);
const AT = "/settings/account";

/** Props of {@link AddPasskey}. */
export interface AddPasskeyProps {
  /** It is asked for once more, … */
  hasPassword: boolean;
  /** … unless that was just now. */
  confirmed: boolean;
}

/** Adds a passkey of this device. */
export default function AddPasskey({ hasPassword, confirmed }: AddPasskeyProps) {
  const state = useSignal<"absent" | "idle" | "busy">("absent");
  const trouble = useSignal<unknown>(null);
  const codes = useSignal<readonly string[]>([]);
  const made = useSignal("");
  useEffect(() => {
    if (hasPasskeys()) state.value = "idle";
  }, []);
  const add = async (event: SubmitEvent) => {
    event.preventDefault();
    if (state.value === "busy") return;
    const form = new FormData(event.currentTarget as HTMLFormElement);
    state.value = "busy";
    trouble.value = null;
    try {
      const options = await api.beginPasskey(presentPasswordIn(form));
      const attestation = await makePasskey(options);
      const name = textIn(form, "name");
      const { recoveryCodes } = await api.addPasskey({ name, attestation });
      made.value = name;
      codes.value = recoveryCodes;
      if (recoveryCodes.length === 0) leave(AT, { word: "add_passkey", name });
    } catch (error) {
      trouble.value = error;
      state.value = "idle";
    }
  };
  if (state.value === "absent") return <p class="text-muted">{t("passkeys.none_here")}</p>;
  if (codes.value.length > 0) {
    return (
      <div role="status">
        <p class="inset-text">{t("passkeys.recovery_what")}</p>
        <ul class="recovery-codes">{codes.value.map((code) => <li key={code}>{code}</li>)}</ul>
        <div class="form-actions">
          <button
            type="button"
            class="button primary"
            onClick={() => leave(AT, { word: "add_passkey", name: made.value })}
          >
            {t("passkeys.recovery_done")}
          </button>
        </div>
      </div>
    );
  }
  return (
    <form onSubmit={add}>
      <PasskeyTrouble error={trouble.value} />
      <div class="form-grid">
        <TextField
          label={t("passkeys.name")}
          hint={t("passkeys.name_hint")}
          name="name"
          required
          maxLength={64}
        />
        {hasPassword && <CurrentPasswordField label={t("passkeys.current")} confirmed={confirmed} />}
      </div>
      <div class="form-actions">
        <button type="submit" class="button" aria-disabled={state.value === "busy"}>
          {state.value === "busy" ? t("passkeys.waiting") : t("passkeys.add")}
        </button>
      </div>
    </form>
  );
}
