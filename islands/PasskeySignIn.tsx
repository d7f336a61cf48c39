import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { PasskeyTrouble } from "../components/access/PasskeyTrouble.tsx";
import { api } from "../lib/client/api.ts";
import { based } from "../lib/client/base.ts";
import { askPasskey, hasPasskeys } from "../lib/client/passkeys.ts";
import { passkeys } from "../lib/i18n/en/passkeys.ts";
import { textsOf } from "../lib/i18n/mod.ts";

const { t } = textsOf(passkeys);

/** Props of {@link PasskeySignIn}. */
export interface PasskeySignInProps {
  /** The page to go on with. */
  to: string;
  /** Of the password's step; null where the passkey is all there is. */
  challenge: string | null;
  /** It is the way on, not one of two. */
  primary: boolean;
}

/** The way in with a passkey; nothing where the browser has none. */
export default function PasskeySignIn({ to, challenge, primary }: PasskeySignInProps) {
  const state = useSignal<"absent" | "idle" | "busy">("absent");
  const trouble = useSignal<unknown>(null);
  useEffect(() => {
    if (hasPasskeys()) state.value = "idle";
  }, []);
  const signIn = async () => {
    state.value = "busy";
    trouble.value = null;
    const second = challenge === null ? {} : { challenge };
    try {
      const assertion = await askPasskey(await api.beginPasskeySignIn(second));
      await api.signInWithPasskey({ ...second, assertion });
      location.assign(based(to));
    } catch (error) {
      trouble.value = error;
      state.value = "idle";
    }
  };
  if (state.value === "absent") return null;
  return (
    <div class="passkey-sign-in">
      <PasskeyTrouble error={trouble.value} />
      <div class="form-actions">
        <button
          type="button"
          class={primary ? "button primary" : "button"}
          aria-disabled={state.value === "busy"}
          onClick={() => state.value === "busy" ? undefined : signIn()}
        >
          {state.value === "busy"
            ? t("passkeys.waiting")
            : t(challenge === null ? "passkeys.sign_in" : "passkeys.use")}
        </button>
      </div>
    </div>
  );
}
