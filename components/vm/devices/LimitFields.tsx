import { DISK_LIMITS, NIC_LIMITS } from "../../../lib/contract/limit_names.ts";
import type { DiskLimit, DiskLimitValues, NicLimit, NicLimitValues } from "../../../lib/contract/mod.ts";
import { limitField, limitTyped } from "../../../lib/text/device_limits.ts";
import { deviceLimits as texts } from "../../../lib/i18n/en/device_limits.ts";
import { textsOf } from "../../../lib/i18n/mod.ts";
import { TextField } from "../../kit/Field.tsx";
import type { ErrorOf } from "./DeviceForm.tsx";

const { t } = textsOf(texts);

interface OneLimitProps {
  name: DiskLimit | NicLimit;
  limits: DiskLimitValues & NicLimitValues;
  errorOf: ErrorOf;
  hint?: string;
}

/** A limit in the unit that people type, with what it was beside it: only what was changed is changed. */
function OneLimit({ name, limits, errorOf, hint }: OneLimitProps) {
  const { label, unit, isWhole } = limitField(name);
  const value = limitTyped(name, limits[name]);
  return (
    <div>
      <TextField
        label={label}
        {...(hint !== undefined && { hint })}
        name={name}
        type="number"
        min={0}
        step={isWhole ? 1 : "any"}
        inputMode={isWhole ? "numeric" : "decimal"}
        defaultValue={value}
        suffix={unit}
        error={errorOf(name)}
      />
      <input type="hidden" name={`${name}Was`} value={value} />
    </div>
  );
}

/** Whether any of these is set: a disclosure is open then, so that what holds is seen. */
const isSet = (names: readonly (DiskLimit | NicLimit)[], limits: DiskLimitValues & NicLimitValues) =>
  names.some((name) => limits[name] !== undefined);

interface LimitGroupProps {
  names: readonly (DiskLimit | NicLimit)[];
  limits: DiskLimitValues & NicLimitValues;
  errorOf: ErrorOf;
}

/** The limits of bursts, which few people need. */
function Bursts({ names, limits, errorOf }: LimitGroupProps) {
  const isWrong = names.some((name) => errorOf(name) !== undefined);
  return (
    <details class="device-more" open={isWrong || isSet(names, limits)}>
      <summary>{t("limits.bursts")}</summary>
      <p class="text-muted">{t("limits.burst_what")}</p>
      <div class="device-grid limit-grid">
        {names.map((name) => <OneLimit key={name} name={name} limits={limits} errorOf={errorOf} />)}
      </div>
    </details>
  );
}

const DISK_BURSTS = DISK_LIMITS.filter((name) => name.includes("Max"));
const DISK_BASES = DISK_LIMITS.filter((name) => !name.includes("Max"));

/** How much a guest may read and write. @param isOpen they are what the form is about */
export function DiskLimitFields(
  { limits = {}, errorOf, isOpen = false }: { limits?: DiskLimitValues; errorOf: ErrorOf; isOpen?: boolean },
) {
  const isWrong = DISK_LIMITS.some((name) => errorOf(name) !== undefined);
  return (
    <details class="device-more" data-for="disk" open={isOpen || isWrong || isSet(DISK_LIMITS, limits)}>
      <summary>{t("limits.title")}</summary>
      <p class="text-muted">
        {t("limits.disk_what")} {t("limits.disk_total")}
      </p>
      <div class="device-grid limit-grid">
        {DISK_BASES.map((name) => <OneLimit key={name} name={name} limits={limits} errorOf={errorOf} />)}
      </div>
      <Bursts names={DISK_BURSTS} limits={limits} errorOf={errorOf} />
    </details>
  );
}

/** Peak of what is sent is left to programs: Linux does not use it. */
const NIC_BURSTS: readonly NicLimit[] = ["inboundPeak", "inboundBurst", "outboundBurst"];

/** How much a guest may receive and send. */
export function NicLimitFields({ limits = {}, errorOf }: { limits?: NicLimitValues; errorOf: ErrorOf }) {
  const isWrong = NIC_LIMITS.some((name) => errorOf(name) !== undefined);
  return (
    <details class="device-more" open={isWrong || isSet(NIC_LIMITS, limits)}>
      <summary>{t("limits.title")}</summary>
      <p class="text-muted">{t("limits.nic_what")}</p>
      <div class="device-grid limit-grid">
        <OneLimit {...{ limits, errorOf }} name="inboundAverage" hint={t("limits.inbound_hint")} />
        <OneLimit {...{ limits, errorOf }} name="outboundAverage" hint={t("limits.outbound_hint")} />
      </div>
      <Bursts names={NIC_BURSTS} limits={limits} errorOf={errorOf} />
    </details>
  );
}
