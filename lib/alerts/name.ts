/** Names of alerts on pages. Pure. */
import { defaultAlerts } from "../i18n/en/default_alerts.ts";
import { textsOf } from "../i18n/mod.ts";
import { DEFAULT_ALERT_NAMES } from "./default_names.ts";

const { t } = textsOf(defaultAlerts);

const isDefault = (id: string): id is keyof typeof DEFAULT_ALERT_NAMES =>
  Object.hasOwn(DEFAULT_ALERT_NAMES, id);

/** An alert's name in the language of the reader: that of a new installation's alert is translated until a user renames it. */
export const alertName = (id: string, name: string): string =>
  isDefault(id) && DEFAULT_ALERT_NAMES[id] === name ? t(`default_alerts.${id}`) : name;
