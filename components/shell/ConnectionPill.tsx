import { Icon } from "../kit/Icon.tsx";
import type { IconName } from "../kit/icons.ts";
import { live } from "../../lib/client/live.ts";
import type { ConnectionStatus } from "../../lib/contract/mod.ts";
import type { StateTone } from "../../lib/vm/state.ts";
import { type PlainKey, t } from "../../lib/i18n/mod.ts";

/** Props of {@link ConnectionPill}. */
export interface ConnectionPillProps {
  connection: ConnectionStatus;
  /** Empty while unknown. */
  libvirtVersion: string;
}

const LOOKS: Readonly<
  Record<ConnectionStatus["status"], { icon: IconName; tone: StateTone; word: PlainKey }>
> = {
  connected: { icon: "check", tone: "ok", word: "connection.connected" },
  connecting: { icon: "loader", tone: "warn", word: "connection.connecting" },
  disconnected: { icon: "unplug", tone: "bad", word: "connection.disconnected" },
};

/** Whether libvirt answers, in the top bar. */
export function ConnectionPill({ connection, libvirtVersion }: ConnectionPillProps) {
  const status = live.connection.value ?? connection;
  const { icon, tone, word } = LOOKS[status.status];
  return (
    <span class="pill" data-tone={tone} title={`${t(word)} · ${status.uri}`}>
      <Icon name={icon} class={status.status === "connecting" ? "spin" : ""} />
      {status.connected && libvirtVersion !== ""
        ? (
          <>
            <span class="visually-hidden">{t(word)}</span>
            <span class="pill-text">{t("connection.version", { version: libvirtVersion })}</span>
          </>
        )
        : <span class="pill-text">{t(word)}</span>}
    </span>
  );
}
