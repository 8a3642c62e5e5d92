/** The mark: a holdfast, the root by which seaweed keeps its hold of the rock. */
export function Mark({ size = 22 }: { size?: number }) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="var(--hf-accent)"
      strokeWidth="1.9"
      strokeLinecap="round"
      aria-hidden="true"
      focusable="false"
    >
      <path d="M12 2.5v17M3 20.5h18M12 9c-4 1.6-6.6 5-7 8.6M12 9c4 1.6 6.6 5 7 8.6M12 12.5c-1.8 1.3-2.8 3-3.1 5.3M12 12.5c1.8 1.3 2.8 3 3.1 5.3" />
    </svg>
  );
}
