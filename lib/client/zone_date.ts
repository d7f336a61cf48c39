/** Times of an axis in the page's time zone. */
import uPlot from "uplot";
import { zone } from "../i18n/locale.ts";

/** A time as a date whose own fields are those of the page's time zone: ticks stand at its hours and days. */
export const tzDate = (seconds: number): Date => uPlot.tzDate(new Date(seconds * 1000), zone());
