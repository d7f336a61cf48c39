import { page } from "fresh";
import { HealthList } from "../../components/host/HealthList.tsx";
import { SettingsPage } from "../../components/access/SettingsPage.tsx";
import { Panel } from "../../components/kit/Panel.tsx";
import { health } from "../../lib/i18n/en/health.ts";
import { host } from "../../lib/i18n/en/host.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { define } from "../../lib/page_state.ts";
import { fail } from "../(_shared)/fail.ts";

const { t } = textsOf(health), hostTexts = textsOf(host);
const AT = "/settings/health";

export const handler = define.handlers({
  async GET({ state }) {
    return page({ findings: await state.api.getHostHealth().catch(fail) });
  },
});

/** How the host fares: what is wrong first, with what to do; then what is well. */
export default define.page<typeof handler>(function Health({ data: { findings }, state }) {
  const problems = findings.filter(({ level }) => level === "problem");
  const warnings = findings.filter(({ level }) => level === "warning");
  const well = findings.filter(({ level }) => level === "ok");
  const counts = [
    problems.length > 0 && hostTexts.plural("host.problems", problems.length),
    warnings.length > 0 && hostTexts.plural("host.warnings", warnings.length),
  ].filter((text) => text !== false).join(", ");
  return (
    <SettingsPage at={AT} user={state.user}>
      <Panel title={t("health.summary")} aside={<a class="button" href={AT}>{t("health.again")}</a>}>
        <p class="health-summary">{counts === "" ? t("health.all_well") : counts}</p>
        <p class="health-summary text-muted">{t("health.shell")}</p>
      </Panel>
      {counts !== "" && (
        <Panel title={t("health.to_do")}>
          <HealthList findings={[...problems, ...warnings]} />
        </Panel>
      )}
      {well.length > 0 && (
        <Panel title={t("health.well")}>
          <HealthList findings={well} />
        </Panel>
      )}
    </SettingsPage>
  );
});
