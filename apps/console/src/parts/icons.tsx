import type { JSX } from "preact";

function Icon({ children }: { children: JSX.Element | JSX.Element[] }) {
  return (
    <svg
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      stroke-width="1.9"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
    >
      {children}
    </svg>
  );
}

export const Logo = () => (
  <svg viewBox="0 0 32 32" aria-hidden="true">
    <rect width="32" height="32" rx="8" fill="#16171b" />
    <path
      d="M4 16c3 0 3-8 6-8s3 16 6 16 3-16 6-16 3 8 6 8"
      fill="none"
      stroke="#ffb347"
      stroke-width="2.6"
      stroke-linecap="round"
    />
  </svg>
);
export const AirIcon = () => (
  <Icon>
    <circle cx="12" cy="12" r="2" />
    <path d="M7.8 16.2a6 6 0 0 1 0-8.4M16.2 7.8a6 6 0 0 1 0 8.4M4.9 19.1a10 10 0 0 1 0-14.2M19.1 4.9a10 10 0 0 1 0 14.2" />
  </Icon>
);
export const EarIcon = () => (
  <Icon>
    <path d="M6 9a6 6 0 1 1 12 0c0 4-4 4.5-4 8a3.5 3.5 0 0 1-6.4 2" />
    <path d="M9.5 9a2.5 2.5 0 0 1 5 0c0 1.6-1.5 2-2 3" />
  </Icon>
);
export const DiscIcon = () => (
  <Icon>
    <circle cx="12" cy="12" r="9" />
    <circle cx="12" cy="12" r="2.4" />
    <path d="M12 5.5A6.5 6.5 0 0 1 18.5 12" />
  </Icon>
);
export const GaugeIcon = () => (
  <Icon>
    <path d="M4 17a8.5 8.5 0 1 1 16 0" />
    <path d="m12 14 4-4.5" />
  </Icon>
);
export const PlayIcon = () => (
  <Icon>
    <path d="M7 4.5v15l12-7.5z" fill="currentColor" />
  </Icon>
);
export const StopIcon = () => (
  <Icon>
    <rect x="6" y="6" width="12" height="12" rx="2" fill="currentColor" />
  </Icon>
);
export const SunIcon = () => (
  <Icon>
    <circle cx="12" cy="12" r="4" />
    <path d="M12 2.5v2M12 19.5v2M4.2 4.2l1.4 1.4M18.4 18.4l1.4 1.4M2.5 12h2M19.5 12h2M4.2 19.8l1.4-1.4M18.4 5.6l1.4-1.4" />
  </Icon>
);
export const MoonIcon = () => (
  <Icon>
    <path d="M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5z" />
  </Icon>
);
export const MicIcon = () => (
  <Icon>
    <rect x="9" y="3" width="6" height="11" rx="3" />
    <path d="M5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v3" />
  </Icon>
);
export const FileIcon = () => (
  <Icon>
    <path d="M12 15V4M8 7.5 12 3.5l4 4M5 15v3.5A1.5 1.5 0 0 0 6.5 20h11a1.5 1.5 0 0 0 1.5-1.5V15" />
  </Icon>
);
export const LinkIcon = () => (
  <Icon>
    <circle cx="5" cy="12" r="2" />
    <circle cx="19" cy="12" r="2" />
    <path d="M6.5 10.6C9 6.5 15 6.5 17.5 10.6M6.5 13.4c2.5 4.1 8.5 4.1 11 0" />
  </Icon>
);
export const ReelIcon = () => (
  <Icon>
    <path d="M3 12h2M7 8v8M11 5v14M15 9v6M19 7v10M21 12h0" />
  </Icon>
);
export const SpeakIcon = () => (
  <Icon>
    <path d="M4 5.5h16v10H11l-4.5 4v-4H4z" />
    <path d="M8.5 9h7M8.5 12h4" />
  </Icon>
);
export const LabIcon = () => (
  <Icon>
    <path d="M9.5 3.5h5M10.5 3.5v6L5 18.5a1.5 1.5 0 0 0 1.3 2h11.4a1.5 1.5 0 0 0 1.3-2l-5.5-9v-6" />
    <path d="M7.8 14.5h8.4" />
  </Icon>
);
export const MoreIcon = () => (
  <Icon>
    <circle cx="5" cy="12" r="1.2" fill="currentColor" />
    <circle cx="12" cy="12" r="1.2" fill="currentColor" />
    <circle cx="19" cy="12" r="1.2" fill="currentColor" />
  </Icon>
);
export const CloseIcon = () => (
  <Icon>
    <path d="m6 6 12 12M18 6 6 18" />
  </Icon>
);
export const VolumeIcon = () => (
  <Icon>
    <path d="M4 9.5v5h3.5L12 18.5v-13L7.5 9.5z" fill="currentColor" />
    <path d="M15.5 9a4.2 4.2 0 0 1 0 6M18 6.5a7.8 7.8 0 0 1 0 11" />
  </Icon>
);
