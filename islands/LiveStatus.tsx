import { useEffect, useRef } from "preact/hooks";
import { Flash } from "../components/kit/Flash.tsx";
import { HangSpan } from "../components/hangs/HangSpan.tsx";
import { startClock } from "../lib/client/clock.ts";
import { tellZone } from "../lib/client/preferences.ts";
import { api } from "../lib/client/api.ts";
import { showValidityAtFields } from "../lib/client/field_validity.ts";
import { forgetDrafts } from "../lib/client/use_kept_draft.ts";
import { live } from "../lib/client/live.ts";
import type { ConnectionStatus } from "../lib/contract/mod.ts";
import { isSilent } from "../lib/hangs/libvirt.ts";
import { formatLately } from "../lib/hangs/words.ts";
import { oneLine } from "../lib/text/text.ts";
import { hangs } from "../lib/i18n/en/hangs.ts";
import { t, textsOf } from "../lib/i18n/mod.ts";

const hangTexts = textsOf(hangs);

/** Props of {@link LiveStatus}. */
export interface LiveStatusProps {
  eventId: string;
  connection: ConnectionStatus;
  /** Whether the host has a KVM Manager of its own. */
  isLinked: boolean;
  /** Whether they may look at the host's health, which says what to do. */
  mayHealth: boolean;
  /** When the page was rendered. */
  now: number;
}

/** Opens the page's event stream, and says when what is shown may be old. On every page, once. */
export default function LiveStatus({ eventId, connection, isLinked, mayHealth, now }: LiveStatusProps) {
  useEffect(() => {
    live.start(eventId, connection);
    startClock();
    tellZone();
    showValidityAtFields();
    const hosts = document.querySelector(".side-hosts");
    if (hosts) import("../components/shell/draw_hosts.tsx").then(({ drawHosts }) => drawHosts(hosts));
  }, []);
  const broken = live.stream.value === "broken";
  // A stream that breaks may be a session that has ended: any call then leads to the sign-in. One that fails because
  // the server is away is no news: the banner says it.
  const isLeaving = useRef(false);
  useEffect(() => {
    document.addEventListener("submit", ({ target }) => {
      // By its attribute: a button that is called "action" hides the property of that name.
      isLeaving.current = target instanceof HTMLFormElement &&
        target.getAttribute("action")?.endsWith("/sign-out") === true;
      if (isLeaving.current) forgetDrafts();
    });
  }, []);
  useEffect(() => {
    if (broken && !isLeaving.current) api.getSession().catch(() => undefined);
  }, [broken]);
  const status = live.connection.value ?? connection;
  const stale = t(isLinked ? "banner.host_stale" : "banner.stale");
  useEffect(() => {
    // What is shown is marked as old by the stylesheet, wherever it is on the page.
    document.documentElement.toggleAttribute("data-stale", broken || !status.connected);
  }, [broken, status.connected]);

  return (
    <div class="banners" role="status">
      {broken && (
        <Flash tone="warn" icon="unplug" title={t("banner.stream")} quiet>{t("banner.stream_todo")}</Flash>
      )}
      {!broken && status.status === "connecting" && (
        <Flash tone="warn" icon="loader" title={t("banner.connecting")} quiet>{stale}</Flash>
      )}
      {!broken && status.status === "disconnected" && (
        <Flash
          tone="bad"
          icon="unplug"
          title={isSilent(status)
            ? hangTexts.t("hangs.libvirt_since", { time: formatLately(status.since, now) })
            : t(isLinked ? "banner.host_away" : "banner.away", { time: formatLately(status.since, now) })}
          quiet
        >
          {isSilent(status)
            ? (
              <>
                <HangSpan since={status.since} now={now} />. {hangTexts.t("hangs.libvirt")}
              </>
            )
            : status.error === null
            ? t("advice.libvirt")
            : oneLine(status.error, 400)} {stale}{" "}
          {mayHealth && <a href="/settings/health">{t("banner.health")}</a>}
        </Flash>
      )}
    </div>
  );
}
