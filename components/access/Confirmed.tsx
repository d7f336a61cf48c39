import ConfirmPasskey from "../../islands/ConfirmPasskey.tsx";
import { access } from "../../lib/i18n/en/access.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import type { PageUser } from "../../lib/page_state.ts";
import { Flash } from "../kit/Flash.tsx";

const { t } = textsOf(access);

/** How somebody without a password shows that it is still them, on a page whose changes take that. */
export function Confirmed({ user }: { user: PageUser | null }) {
  if (user === null || user.confirmed) return null;
  return <Flash tone="info" actions={<ConfirmPasskey />}>{t("access.confirm_what")}</Flash>;
}
