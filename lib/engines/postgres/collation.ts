import { quoteLiteral, quoteShell } from "./quote.ts";

export interface DatabaseLocale {
  /** pg_database.datlocprovider: c = libc, i = ICU, b = built in. */
  provider: "c" | "i" | "b";
  collate: string;
  ctype: string;
  /** Locale of ICU or of the built-in provider. */
  locale: string | null;
}

/** One text for a database's collation: "C.UTF-8", "C ctype:en_US.UTF-8", "icu:de-DE", "builtin:C.UTF-8". */
export function formatCollation(of: DatabaseLocale): string {
  if (of.provider === "i") return `icu:${of.locale ?? "und"}`;
  if (of.provider === "b") return `builtin:${of.locale ?? "C"}`;
  return of.collate === of.ctype ? of.collate : `${of.collate} ctype:${of.ctype}`;
}

/** The clause of CREATE DATABASE that gives this collation. The inverse of formatCollation. */
export function localeClause(collation: string): string {
  const [, provider, locale] = /^(icu|builtin):(.*)$/.exec(collation) ?? [];
  if (provider === "icu") {
    return `LOCALE_PROVIDER icu ICU_LOCALE ${quoteLiteral(locale ?? "")} LC_COLLATE 'C' LC_CTYPE 'C'`;
  }
  if (provider === "builtin") {
    return `LOCALE_PROVIDER builtin BUILTIN_LOCALE ${quoteLiteral(locale ?? "")} LC_COLLATE 'C' LC_CTYPE 'C'`;
  }
  const [collate = "", ctype = collate] = collation.split(" ctype:");
  return `LC_COLLATE ${quoteLiteral(collate)} LC_CTYPE ${quoteLiteral(ctype)}`;
}

/** The same for the createdb program. */
export function formatCollationOptions(collation: string): string {
  const [, provider, locale = ""] = /^(icu|builtin):(.*)$/.exec(collation) ?? [];
  if (provider !== undefined) {
    return `--locale-provider=${provider} --${provider}-locale=${quoteShell(locale)} --lc-collate=C --lc-ctype=C`;
  }
  const [collate = "", ctype = collate] = collation.split(" ctype:");
  return `--lc-collate=${quoteShell(collate)} --lc-ctype=${quoteShell(ctype)}`;
}
