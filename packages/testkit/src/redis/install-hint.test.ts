import { expect, test } from 'vitest';
import { isDebianFamily } from './apt-redis.ts';
import { installHint } from './install-hint.ts';

const distributions: readonly [osRelease: string, hint: RegExp][] = [
  ['PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian', /^sudo apt-get .* redis-server$/],
  ['ID=ubuntu\nID_LIKE=debian', /^sudo apt-get /],
  ['ID=pop\nID_LIKE="ubuntu debian"', /^sudo apt-get /],
  ['ID=alpine', /^sudo apk add redis$/],
  ['ID=fedora', /^sudo dnf /],
  ['ID="rocky"\nID_LIKE="rhel centos fedora"', /^sudo dnf /],
  ['ID=arch', /^sudo pacman /],
  ['ID="opensuse-leap"\nID_LIKE="suse opensuse"', /^sudo zypper /],
  ['ID=nixos', /^docker run .*REDIS_URL=/],
  ['', /^docker run .*REDIS_URL=/],
];

test.for(distributions)('names a command for %j', ([osRelease, hint]) => {
  expect(installHint('linux', osRelease)).toMatch(hint);
});

test('names a command for the platforms without /etc/os-release', () => {
  expect(installHint('darwin', '')).toBe('brew install redis');
  expect(installHint('win32', '')).toMatch(/^docker run .*WSL/);
  expect(installHint('freebsd', '')).toMatch(/REDIS_URL/);
});

test('only Debian and its children get apt-get', () => {
  const family = distributions.filter(([osRelease]) => isDebianFamily(osRelease));
  expect(family.map(([osRelease]) => osRelease.match(/^ID=(.*)$/m)?.[1])).toEqual([
    'debian',
    'ubuntu',
    'pop',
  ]);
  expect(isDebianFamily('ID=fedora\nHOME_URL="https://example.org/not-debian"')).toBe(false);
});
