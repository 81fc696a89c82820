/** The one command that gets a person a Redis, for the platform that they are on. Pure. */

/** `osRelease`: the text of /etc/os-release, empty elsewhere than on Linux. */
export function installHint(platform: NodeJS.Platform, osRelease: string): string {
  switch (platform) {
    case 'darwin':
      return 'brew install redis';
    case 'win32':
      return 'docker run -d -p 6379:6379 redis:8, then set REDIS_URL=redis://localhost:6379 (or work inside WSL)';
    case 'linux':
      return linuxHint(osRelease);
    default:
      return 'install Redis 7 or newer, or set REDIS_URL=redis://host:6379';
  }
}

function linuxHint(osRelease: string): string {
  const family = /^(?:ID|ID_LIKE)=.*$/gm;
  const names = (osRelease.match(family) ?? []).join(' ');
  if (/\b(?:debian|ubuntu)\b/.test(names))
    return 'sudo apt-get update && sudo apt-get install -y redis-server';
  if (/\balpine\b/.test(names)) return 'sudo apk add redis';
  if (/\b(?:fedora|rhel|centos)\b/.test(names)) return 'sudo dnf install -y valkey';
  if (/\barch\b/.test(names)) return 'sudo pacman -S valkey';
  if (/\bsuse\b/.test(names)) return 'sudo zypper install redis';
  return 'docker run -d -p 6379:6379 redis:8, then set REDIS_URL=redis://localhost:6379';
}
