import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { CurrentPasswordField } from "../components/access/CurrentPasswordField.tsx";
import { PasskeyTrouble } from "../components/access/PasskeyTrouble.tsx";
import { TextField } from "../components/Field.tsx";
import { api } from "../lib/client/api.ts";
import { based } from "../lib/client/base.ts";
import { hasPasskeys, makePasskey } from "../lib/client/passkeys.ts";
import { textIn, trimmedIn } from "../lib/format/form_fields.ts";
import { passkeys } from "../lib/i18n/en/passkeys.ts";
import { textsOf } from "../lib/i18n/mod.ts";

const { t } = textsOf(passkeys);
const AT = "/settings/account";

/** Adds a passkey of this device. @param hasPassword it is asked for once more */
export default function AddPasskey({ hasPassword }: { hasPassword: boolean }) {
  const state = useSignal<"absent" | "idle" | "busy">("absent");
  const trouble = useSignal<unknown>(null);
  const codes = useSignal<readonly string[]>([]);
  useEffect(() => {
    if (hasPasskeys()) state.value = "idle";
  }, []);
  const add = async (event: SubmitEvent) => {
    event.preventDefault();
    if (state.value === "busy") return;
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const password = textIn(form, "password");
    state.value = "busy";
    trouble.value = null;
    try {
      const options = await api.beginPasskey(password === "" ? {} : { password });
      const attestation = await makePasskey(options);
      const { recoveryCodes } = await api.addPasskey({ name: trimmedIn(form, "name"), attestation });
      codes.value = recoveryCodes;
      if (recoveryCodes.length === 0) location.assign(based(`${AT}?done=passkey`));
    } catch (error) {
      trouble.value = error;
      state.value = "idle";
    }
  };
  if (state.value === "absent") return <p class="muted">{t("passkeys.none_here")}</p>;
  if (codes.value.length > 0) {
    return (
      <div role="status">
        <p class="inset-text">{t("passkeys.recovery_what")}</p>
        <ul class="recovery-codes">{codes.value.map((code) => <li key={code}>{code}</li>)}</ul>
        <div class="form-actions">
          <a class="button primary" href={`${AT}?done=passkey`}>{t("passkeys.recovery_done")}</a>
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
        {hasPassword && <CurrentPasswordField label={t("passkeys.current")} />}
      </div>
      <div class="form-actions">
        <button type="submit" class="button" aria-disabled={state.value === "busy"}>
          {state.value === "busy" ? t("passkeys.waiting") : t("passkeys.add")}
        </button>
      </div>
    </form>
  );
}
