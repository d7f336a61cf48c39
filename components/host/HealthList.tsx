import CopyText from "../../islands/CopyText.tsx";
import type { HealthFinding } from "../../lib/contract/mod.ts";
import { health } from "../../lib/i18n/en/health.ts";
import { type PlainKeyOf, textsOf } from "../../lib/i18n/mod.ts";
import { Icon } from "../kit/Icon.tsx";
import type { IconName } from "../kit/icons.ts";

const { t } = textsOf(health);
type Key = PlainKeyOf<typeof health>;

const LEVELS: Readonly<Record<HealthFinding["level"], { icon: IconName; tone: string; word: Key }>> = {
  ok: { icon: "check", tone: "ok", word: "health.level_ok" },
  warning: { icon: "alert", tone: "warn", word: "health.level_warning" },
  problem: { icon: "circleAlert", tone: "bad", word: "health.level_problem" },
};

const AREAS: Readonly<Record<HealthFinding["area"], Key>> = {
  libvirt: "health.area_libvirt",
  kvm: "health.area_kvm",
  qemu: "health.area_qemu",
  modules: "health.area_modules",
  groups: "health.area_groups",
  firewall: "health.area_firewall",
  storage: "health.area_storage",
  locks: "health.area_locks",
  cluster: "health.area_cluster",
  clock: "health.area_clock",
  names: "health.area_names",
  ports: "health.area_ports",
  state: "health.area_state",
  certificate: "health.area_certificate",
};

/** Findings about the host, each with what to do and the command that does it. */
export function HealthList({ findings }: { findings: readonly HealthFinding[] }) {
  return (
    <ul class="health-list">
      {findings.map(({ level, area, what, advice, command }) => {
        const { icon, tone, word } = LEVELS[level];
        return (
          <li key={`${area} ${what}`}>
            <span class="state" data-tone={tone}>
              <Icon name={icon} />
              <span class="state-word">{t(word)}</span>
            </span>
            <span class="health-area">{t(AREAS[area])}</span>
            <div class="health-what">
              <p>{what}</p>
              {advice !== undefined && <p class="text-muted">{advice}</p>}
              {command !== undefined && (
                <p class="health-command">
                  <span class="text-muted">{t("health.as_root")}</span> <code>{command}</code>
                  <CopyText text={command} what={t("health.command")} />
                </p>
              )}
            </div>
          </li>
        );
      })}
    </ul>
  );
}
