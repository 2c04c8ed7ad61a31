#!/usr/bin/env python3
"""Checks the META.json of a directory: the PGXN specification 1.0.0, and that it tells the truth about the files."""

import json
import os
import re
import sys

# of the specification: what is required, what else may be there
REQUIRED = {'name', 'version', 'abstract', 'maintainer', 'license', 'provides', 'meta-spec'}
OPTIONAL = {'description', 'generated_by', 'tags', 'no_index', 'prereqs', 'release_status', 'resources'}
LICENSES = {'agpl_3', 'apache_1_1', 'apache_2_0', 'artistic_1', 'artistic_2', 'bsd', 'freebsd', 'gfdl_1_2', 'gfdl_1_3',
            'gpl_1', 'gpl_2', 'gpl_3', 'lgpl_2_1', 'lgpl_3_0', 'mit', 'mozilla_1_0', 'mozilla_1_1', 'openssl',
            'perl_5', 'postgresql', 'qpl_1_0', 'ssleay', 'sun', 'zlib', 'open_source', 'restricted', 'unrestricted',
            'unknown'}
SEMVER = re.compile(r'(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[A-Za-z][0-9A-Za-z-]*)?$')
TERM = re.compile(r'[^\s/\\\x00-\x1f]{2,}$')
PHASES = {'configure', 'runtime', 'build', 'test', 'develop'}
RELATIONS = {'requires', 'recommends', 'suggests', 'conflicts'}


def findings(meta, directory):
    """Yields what is wrong, a sentence each."""
    def is_text(value):
        return isinstance(value, str) and value.strip() != ''

    def file(path):
        return os.path.isfile(os.path.join(directory, path))

    for key in REQUIRED - meta.keys():
        yield f'{key} is missing'
    for key in meta.keys() - REQUIRED - OPTIONAL:
        if not key.lower().startswith('x_'):
            yield f'{key} is not of the specification'
    if not TERM.match(meta.get('name', '')):
        yield 'name is not a term'
    for key in ('abstract', 'description', 'maintainer'):
        if key in meta and not (is_text(meta[key]) or isinstance(meta[key], list) and all(map(is_text, meta[key]))):
            yield f'{key} is empty'
    if not SEMVER.match(meta.get('version', '')):
        yield 'version is not a semantic version'
    if meta.get('license') not in LICENSES:
        yield f'license {meta.get("license")} is not known'
    if meta.get('release_status', 'stable') not in ('stable', 'testing', 'unstable'):
        yield 'release_status is none of stable, testing, unstable'
    if meta.get('meta-spec', {}).get('version') != '1.0.0':
        yield 'meta-spec is not 1.0.0'
    if not meta.get('provides'):
        yield 'nothing is provided'
    for name, extension in meta.get('provides', {}).items():
        if not SEMVER.match(extension.get('version', '')):
            yield f'{name}: version is not a semantic version'
        for key in ('file', 'docfile'):
            if key in extension and not file(extension[key]):
                yield f'{name}: there is no {key} {extension[key]}'
        if 'file' not in extension:
            yield f'{name}: file is missing'
    for phase, relations in meta.get('prereqs', {}).items():
        if phase not in PHASES:
            yield f'prereqs: no phase {phase}'
        for relation, names in relations.items():
            if relation not in RELATIONS:
                yield f'prereqs: no relation {relation}'
            for name, wanted in names.items():
                if not SEMVER.match(str(wanted)) and wanted != 0:
                    yield f'prereqs: {name} {wanted} is not a semantic version'
    for tag in meta.get('tags', []):
        if not 0 < len(tag) <= 255 or re.search(r'[/\\\x00-\x1f]', tag):
            yield f'tag {tag} is not a tag'
    resources = meta.get('resources', {})
    for key in resources.keys() - {'homepage', 'bugtracker', 'repository'}:
        yield f'resources: {key} is not of the specification'
    for key, value in resources.get('bugtracker', {}).items():
        if key not in ('web', 'mailto'):
            yield f'resources: bugtracker {key} is not of the specification'
    for key, value in resources.get('repository', {}).items():
        if key not in ('url', 'web', 'type'):
            yield f'resources: repository {key} is not of the specification'

    with open(os.path.join(directory, 'clv.control')) as control:
        version = re.search(r"^default_version\s*=\s*'([^']*)'", control.read(), re.M).group(1)
    for said in [meta.get('version')] + [e.get('version') for e in meta.get('provides', {}).values()]:
        if said != version:
            yield f'version {said} is not that of clv.control, {version}'


def main():
    directory = sys.argv[1] if len(sys.argv) > 1 else '.'
    with open(os.path.join(directory, 'META.json')) as file:
        meta = json.load(file)
    wrong = list(findings(meta, directory))
    for sentence in wrong:
        print(f'META.json: {sentence}', file=sys.stderr)
    sys.exit(1 if wrong else 0)


main()
