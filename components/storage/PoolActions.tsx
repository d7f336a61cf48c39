import type { StoragePool } from "../../lib/contract/mod.ts";
import { formHref } from "../../lib/text/form_href.ts";
import { oneLine } from "../../lib/text/text.ts";
import { storage as texts } from "../../lib/i18n/en/storage.ts";
import { t as tAll, textsOf } from "../../lib/i18n/mod.ts";
import { Icon } from "../kit/Icon.tsx";
import { MoreMenu } from "../kit/MoreMenu.tsx";
import { SteadyButton } from "../kit/SteadyButton.tsx";
import { ActionLink } from "../kit/ActionLink.tsx";
import { canStop } from "./PoolParts.tsx";
import { poolHref } from "../../lib/storage/pool_href.ts";

const { t } = textsOf(texts);

/** Actions that a pool carries out at once: word, icon, and whether the pool must run for it. */
export const POOL_VERBS = {
  start: { word: "storage.start", icon: "play", running: false },
  stop: { word: "storage.stop", icon: "power", running: true },
  refresh: { word: "storage.refresh", icon: "reboot", running: true },
} as const;

/** Props of {@link PoolActions}. */
export interface PoolActionsProps {
  pool: StoragePool;
  enabled: boolean;
  /** In a list: Start in sight, the rest in the menu. */
  small?: boolean;
}

/** Actions for a pool, each in its own place: a plain form. Deleting asks for confirmation on a page of its own. */
export function PoolActions({ pool, enabled, small = false }: PoolActionsProps) {
  const name = oneLine(pool.name, 60), href = poolHref(pool.name);
  const does = (action: keyof typeof POOL_VERBS, look: string) => {
    const { word, icon, running } = POOL_VERBS[action];
    const allowed = canStop(pool) === running;
    return (
      <SteadyButton
        what={`${action} ${allowed}`}
        type="submit"
        class={look}
        role={look === "menu-item" ? "menuitem" : undefined}
        formAction={formHref(`${action}_storage_pool`, { pool: pool.name }, href)}
        disabled={!enabled || !allowed}
        aria-label={t("storage.verb_of", { verb: t(word), name })}
      >
        {look !== "button ghost" && <Icon name={icon} />}
        <span>{t(word)}</span>
      </SteadyButton>
    );
  };
  const others = (look: string) => (
    <>
      {does("stop", look)}
      {does("refresh", look)}
    </>
  );
  return (
    <form class="action-form" method="post" action={href}>
      {does("start", small ? "button ghost" : "button primary")}
      {!small && others("button")}
      <MoreMenu label={tAll("menu.of", { name })} quiet={small}>
        {small && others("menu-item")}
        <ActionLink
          class="menu-item"
          role="menuitem"
          data-danger=""
          href={`${href}?do=delete`}
          enabled={enabled}
        >
          <Icon name="trash" />
          <span>{t("storage.delete")}</span>
        </ActionLink>
      </MoreMenu>
    </form>
  );
}
