import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { PasskeyTrouble } from "../components/access/PasskeyTrouble.tsx";
import { api } from "../lib/client/api.ts";
import { based } from "../lib/client/base.ts";
import { askPasskey, hasPasskeys } from "../lib/client/passkeys.ts";
import { passkeys } from "../lib/i18n/en/passkeys.ts";
import { textsOf } from "../lib/i18n/mod.ts";

const { t } = textsOf(passkeys);

/** Shows with a passkey that it is still oneself. @param to the page to go on with */
export default function ConfirmPasskey({ to }: { to: string }) {
  const state = useSignal<"absent" | "idle" | "busy">("absent");
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
      location.assign(based(to));
    } catch (error) {
      trouble.value = error;
      state.value = "idle";
    }
  };
  if (state.value === "absent") return <p class="text-muted">{t("passkeys.none_here")}</p>;
  return (
    <div class="passkey-confirm">
      <PasskeyTrouble error={trouble.value} />
      <div class="form-actions">
        <button type="button" class="button" aria-disabled={state.value === "busy"} onClick={confirm}>
          {state.value === "busy" ? t("passkeys.waiting") : t("passkeys.confirm")}
        </button>
      </div>
    </div>
  );
}
