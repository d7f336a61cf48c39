import { oneLine } from "../../lib/text/text.ts";
import { t } from "../../lib/i18n/mod.ts";
import type { PageUser } from "../../lib/page_state.ts";
import { Icon } from "../kit/Icon.tsx";
import { LanguageMenu } from "./LanguageMenu.tsx";

/** The user's name, and the button to sign out. A popover that needs no script. */
export function UserMenu({ user }: { user: PageUser }) {
  const name = oneLine(user.displayName, 40);
  return (
    <div class="user-menu">
      <button
        type="button"
        class="icon-button"
        popovertarget="user-menu"
        aria-label={t("user.menu", { name })}
        title={t("user.menu", { name })}
      >
        <Icon name="user" />
      </button>
      <div id="user-menu" class="menu user-popover" popover="auto">
        <p class="user-name">
          <bdi>{name}</bdi>
        </p>
        <a class="menu-item" href="/settings/account">
          <Icon name="settings" />
          {t("user.account")}
        </a>
        <LanguageMenu />
        {user.hasAccount && (
          <form method="post" action="/sign-out">
            <button type="submit" class="menu-item">
              <Icon name="signOut" />
              {t("user.sign_out")}
            </button>
          </form>
        )}
      </div>
    </div>
  );
}
