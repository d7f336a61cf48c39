import type { CloudInitFiles, CloudInitState } from "../../../lib/contract/mod.ts";
import { cloudInit } from "../../../lib/i18n/en/cloud_init.ts";
import { textsOf } from "../../../lib/i18n/mod.ts";
import { Fact } from "../../kit/Fact.tsx";
import { RelativeTime } from "../../kit/RelativeTime.tsx";
import { Panel } from "../../kit/Panel.tsx";

const { t } = textsOf(cloudInit);

/** Present content of the drive, and the button to remove it. */
export function CloudInitNow({ state, unreadable, now, enabled }: {
  state: CloudInitState;
  /** Why it cannot be read. */
  unreadable: string | undefined;
  now: number;
  enabled: boolean;
}) {
  const isSet = state.cloudInit !== null || unreadable !== undefined;
  return (
    <Panel title={t("cloud_init.state")}>
      {unreadable !== undefined && <p class="text-muted pad">{t("cloud_init.unreadable")} {unreadable}</p>}
      {!isSet && <p class="text-muted pad">{t("cloud_init.nothing")}</p>}
      {state.cloudInit !== null && (
        <dl class="description-list">
          <Fact label={t("cloud_init.drive")}>{state.target ?? "–"}</Fact>
          <Fact label={t("cloud_init.seed")}>
            <bdi class="mono wrap">{state.path ?? "–"}</bdi>
          </Fact>
          {state.changedAt !== undefined && (
            <Fact label={t("cloud_init.changed")}>
              <RelativeTime at={state.changedAt} now={now} />
            </Fact>
          )}
          {state.instanceId !== undefined && (
            <Fact label={t("cloud_init.instance")}>
              <bdi class="mono wrap">{state.instanceId}</bdi>
            </Fact>
          )}
        </dl>
      )}
      {isSet && (
        <details class="cloud-remove">
          <summary class="button ghost danger">{t("cloud_init.remove")}</summary>
          <p>{t("cloud_init.remove_what")}</p>
          <button
            type="submit"
            class="button danger"
            name="action"
            value="remove"
            formNoValidate
            disabled={!enabled}
          >
            {t("cloud_init.remove_now")}
          </button>
        </details>
      )}
    </Panel>
  );
}

function Document({ name, text }: { name: string; text: string }) {
  return (
    <figure class="cloud-document">
      <figcaption>{name}</figcaption>
      <pre tabIndex={0} role="region" aria-label={name}><code>{text}</code></pre>
    </figure>
  );
}

/** Files that the guest would read. */
export function CloudInitPreview({ files }: { files: CloudInitFiles }) {
  return (
    <Panel title={t("cloud_init.preview_title")}>
      <Document name={t("cloud_init.user_data")} text={files.userData} />
      {files.networkConfig !== undefined && (
        <Document name={t("cloud_init.network_config")} text={files.networkConfig} />
      )}
      <Document name={t("cloud_init.meta_data")} text={files.metaData} />
    </Panel>
  );
}
