"use client";
import { useSearchParams } from "next/navigation";

/** The environment that the viewer has chosen (`?environment=`), or undefined for all. */
export function useEnvironment(): string | undefined {
  return useSearchParams().get("environment") ?? undefined;
}

/** A link to another page that keeps the chosen environment. */
export function withEnvironment(href: string, environment: string | undefined): string {
  return environment ? `${href}?environment=${encodeURIComponent(environment)}` : href;
}
