{{/*
What the chart has to know of the configured vendors, as YAML: `vendors`, each with its `resources` (`name`, and whether
it is `counted` by nodes) and its `reserved` annotations; and `everyPod` where containers that ask for nothing are
changed, too. It follows from files/vendors.json, which is made from the vendors themselves, and from the settings in
force: `config` over the blocks of `deviceConfig` over the server's defaults.
*/}}
{{- define "tessera.vendors" -}}
{{- $documents := list }}
{{- range $text := regexSplit "(?m)^---.*$" .Values.deviceConfig -1 }}
  {{- $document := fromYaml $text }}
  {{- if hasKey $document "Error" }}{{ fail (printf "deviceConfig is not YAML: %s" (get $document "Error")) }}{{ end }}
  {{- $documents = append $documents $document }}
{{- end }}
{{- $vendors := list }}
{{- $everyPod := false }}
{{- range $family := .Files.Get "files/vendors.json" | fromJsonArray }}
  {{- $block := include "tessera.vendors.block" (dict "documents" $documents "family" $family) | fromYaml }}
  {{- $own := dig "vendors" $family.block dict $.Values.config }}
  {{- $entries := list (include "tessera.vendors.laid" (list $family.scope.defaults $block.settings $own) | fromYaml) }}
  {{- if $family.list }}
    {{- $written := $family.list.default }}
    {{- if $block.isThere }}{{ $written = get $block.settings $family.list.key | default list }}{{ end }}
    {{- if hasKey $own $family.list.key }}{{ $written = get $own $family.list.key }}{{ end }}
    {{- $entries = list }}
    {{- range $written }}
      {{- $entries = append $entries (include "tessera.vendors.laid" (list $family.scope.defaults .) | fromYaml) }}
    {{- end }}
  {{- end }}
  {{- if dig "enabled" (or $family.enabled $block.isThere) $own }}
    {{- range $entry := $entries }}
      {{- range $form := $family.scope.vendors }}
        {{- $text := toJson $form }}
        {{- range $key, $value := $entry }}
          {{- $text = replace (printf "{%s}" $key) (toString $value | toJson | trimPrefix "\"" | trimSuffix "\"") $text }}
        {{- end }}
        {{- $vendor := fromJson $text }}
        {{- $exists := true }}
        {{- $named := list }}
        {{- range $vendor.resources }}
          {{- if .name }}{{ $named = append $named . }}{{ else if .needed }}{{ $exists = false }}{{ end }}
        {{- end }}
        {{- if $exists }}
          {{- $vendors = append $vendors (dict "resources" $named "reserved" $vendor.reserved) }}
          {{- range $key, $values := $family.scope.everyPod }}
            {{- if has (get $entry $key) $values }}{{ $everyPod = true }}{{ end }}
          {{- end }}
        {{- end }}
      {{- end }}
    {{- end }}
  {{- end }}
{{- end }}
{{- if not $vendors }}
  {{- fail "config.vendors: no vendor is enabled; kube-scheduler would send us every pod of the cluster" }}
{{- end }}
{{- dict "vendors" $vendors "everyPod" $everyPod | toYaml }}
{{- end }}

{{/*
The block of one family in `deviceConfig`, from the first document that has it: `isThere`, and its `settings`. What it
leaves out is empty, as in HAMi, unless the family is on by default, whose defaults apply. A bare list is the older form
of a block with a list.
*/}}
{{- define "tessera.vendors.block" -}}
{{- $family := .family }}
{{- $isThere := false }}
{{- $settings := dict }}
{{- range $document := .documents }}
  {{- $written := get $document $family.block }}
  {{- if and (hasKey $document $family.block) (not (kindIs "invalid" $written)) (not $isThere) }}
    {{- $isThere = true }}
    {{- if and (kindIs "slice" $written) $family.list }}{{ $written = dict $family.list.key $written }}{{ end }}
    {{- if not (kindIs "map" $written) }}{{ fail (printf "deviceConfig: %s is not a mapping" $family.block) }}{{ end }}
    {{- if not $family.enabled }}
      {{- range $key, $value := $family.scope.defaults }}
        {{- if kindIs "string" $value }}{{ $_ := set $settings $key "" }}{{ end }}
      {{- end }}
    {{- end }}
    {{- range $key, $value := $written }}
      {{- if not (kindIs "invalid" $value) }}{{ $_ := set $settings $key $value }}{{ end }}
    {{- end }}
  {{- end }}
{{- end }}
{{- dict "isThere" $isThere "settings" $settings | toYaml }}
{{- end }}

{{/* Mappings laid over each other, as YAML, with the keys of the first. What has no value says nothing; what is empty does. */}}
{{- define "tessera.vendors.laid" -}}
{{- $laid := deepCopy (first .) }}
{{- range $upper := rest . }}
  {{- range $key, $value := $upper }}
    {{- if and (hasKey $laid $key) (not (kindIs "invalid" $value)) }}{{ $_ := set $laid $key $value }}{{ end }}
  {{- end }}
{{- end }}
{{- toYaml $laid }}
{{- end }}
