import type { ShopDatabase } from "./seed-shop.ts";

/** The sample company: what is made, and under which names it is registered. */
export const SHOPS: readonly (ShopDatabase & { name: string; environment: string })[] = [
  { name: "shop-production", environment: "production", database: "shop_production", customers: 12_000 },
  { name: "shop-staging", environment: "staging", database: "shop_staging", customers: 3_000 },
];
export const KIOSK = { name: "kiosk", environment: "production", file: "kiosk.db" };

export const SAMPLE_NAMES: readonly string[] = [...SHOPS.map((shop) => shop.name), KIOSK.name];
