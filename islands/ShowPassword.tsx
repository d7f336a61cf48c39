import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { Icon } from "../components/kit/Icon.tsx";
import { showValidityAtFields } from "../lib/client/field_validity.ts";
import { access } from "../lib/i18n/en/access.ts";
import { textsOf } from "../lib/i18n/mod.ts";

const { t } = textsOf(access);

/** Shows what was typed into the password's field before it, and hides it again. Without script it is not there. */
export default function ShowPassword() {
  const isReady = useSignal(false), isShown = useSignal(false), button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    isReady.value = true;
    showValidityAtFields(); // on the pages of who is not in yet, which have no LiveStatus
  }, []);
  const toggle = () => {
    const input = button.current?.closest(".form-control")?.querySelector("input");
    if (!input) return;
    isShown.value = !isShown.value;
    input.type = isShown.value ? "text" : "password";
    input.focus();
  };
  const label = t(isShown.value ? "access.password_hide" : "access.password_show");
  return isReady.value && (
    <button
      ref={button}
      type="button"
      class="icon-button show-password"
      aria-label={label}
      title={label}
      onClick={toggle}
    >
      <Icon name={isShown.value ? "eyeOff" : "eye"} />
    </button>
  );
}
