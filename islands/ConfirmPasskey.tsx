import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { PasskeyTrouble } from "../components/access/PasskeyTrouble.tsx";
import { api } from "../lib/client/api.ts";
import { askPasskey, hasPasskeys } from "../lib/client/passkeys.ts";
import { passkeys } from "../lib/i18n/en/passkeys.ts";
import { textsOf } from "../lib/i18n/mod.ts";

const { t } = textsOf(passkeys);

/** Fields for the password that a passkey does instead of. */
const PASSWORD = 'input[autocomplete="current-password"]';

/** The password that the form around it asks for is not needed any more. */
function excusePassword(island: HTMLElement | null): void {
  for (const field of island?.closest("form")?.querySelectorAll<HTMLInputElement>(PASSWORD) ?? []) {
    field.required = false;
    field.disabled = true;
  }
}

/** Shows with a passkey that it is still oneself. Its page stays as it is, with what was typed there. */
export default function ConfirmPasskey() {
  const state = useSignal<"absent" | "idle" | "busy" | "done">("absent");
  const island = useRef<HTMLDivElement>(null);
  const trouble = useSignal<unknown>(null);
  useEffect(() => {
    if (hasPasskeys()) state.value = "idle";
  }, []);
  const confirm = async () => {
    if (state.value === "busy") return;
    state.value = "busy";
    trouble.value = null;
    try {
      await api.reauthenticate({ assertion: await askPasskey(await api.beginReauthentication()) });
      excusePassword(island.current);
      state.value = "done";
    } catch (error) {
      trouble.value = error;
      state.value = "idle";
    }
  };
  if (state.value === "absent") return <p class="text-muted">{t("passkeys.none_here")}</p>;
  if (state.value === "done") return <p role="status">{t("passkeys.confirmed")}</p>;
  return (
    <div class="passkey-confirm" ref={island}>
      <PasskeyTrouble error={trouble.value} />
      <div class="form-actions">
        <button type="button" class="button" aria-disabled={state.value === "busy"} onClick={confirm}>
          {state.value === "busy" ? t("passkeys.waiting") : t("passkeys.confirm")}
        </button>
      </div>
    </div>
  );
}
