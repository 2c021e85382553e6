{{/* The ports of the server; scheduler-config/tessera.yaml and the defaults of its configuration say the same. */}}
{{- define "tessera.ports.https" -}}8443{{- end }}
{{- define "tessera.ports.extender" -}}8888{{- end }}
{{- define "tessera.ports.metrics" -}}9395{{- end }}

{{- define "tessera.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "tessera.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- else if contains (include "tessera.name" .) .Release.Name }}
{{- .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "tessera.name" .) | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "tessera.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "tessera.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "tessera.selectorLabels" -}}
app.kubernetes.io/name: {{ include "tessera.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "tessera.labels" -}}
{{ include "tessera.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
{{- end }}

{{- define "tessera.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end }}
{{- end }}

{{/* Distributions add a suffix to the cluster's version, and images of kube-scheduler have none. */}}
{{- define "tessera.kubeScheduler.version" -}}
{{- default (regexFind "^v[0-9]+\\.[0-9]+\\.[0-9]+" .Capabilities.KubeVersion.Version) .Values.kubeScheduler.version }}
{{- end }}

{{- define "tessera.tls.secretName" -}}
{{- default (printf "%s-tls" (include "tessera.fullname" .)) .Values.tls.secretName }}
{{- end }}

{{/* The scheduler names that are ours, as YAML. */}}
{{- define "tessera.schedulerNames" -}}
{{- dig "schedulerNames" (list "tessera-scheduler") .Values.config | toYaml }}
{{- end }}

{{/*
The lease that says which replica leads: of our kube-scheduler, or the servers' own, by the rule that the server has,
too. Quoted where YAML would misread it.
*/}}
{{- define "tessera.lease" -}}
{{- $name := include "tessera.schedulerNames" . | fromYamlArray | first }}
{{- .Values.kubeScheduler.enabled | ternary $name (printf "%s-extender" $name) | toYaml }}
{{- end }}

{{/* The Secret with the authority of those who may call the verbs over a Service. */}}
{{- define "tessera.extender.clientCaSecret" -}}
{{- required "extender.clientCaSecret: needed where kube-scheduler runs elsewhere; without it, whoever reaches the server could bind pods" .Values.extender.clientCaSecret }}
{{- end }}

{{/* "true" when kube-scheduler asks about evictions; refused for versions to which our answers of filter would be errors. */}}
{{- define "tessera.asksAboutEvictions" -}}
{{- if dig "preemptVerb" false .Values.config }}
{{- $version := include "tessera.kubeScheduler.version" . }}
{{- if semverCompare "<1.38.0-0" $version }}
  {{- fail (printf "config.preemptVerb: needs kube-scheduler v1.38 or later, this is %s; scheduler-config/README.md says why" $version) }}
{{- end }}true
{{- end }}
{{- end }}

{{/* Names of the managed resources, as YAML. */}}
{{- define "tessera.managedResources" -}}
{{- $names := list }}
{{- range (include "tessera.vendors" . | fromYaml).vendors }}
  {{- range .resources }}{{ $names = append $names .name }}{{ end }}
{{- end }}
{{- toYaml $names }}
{{- end }}

{{/* The server's own configuration. */}}
{{- define "tessera.config" -}}
{{- $config := deepCopy .Values.config }}
{{- if not (hasKey $config "shutdownDelaySeconds") }}{{ $_ := set $config "shutdownDelaySeconds" 5 }}{{ end }}
{{- $_ := set $config "listen" (printf "0.0.0.0:%s" (include "tessera.ports.https" .)) }}
{{- $_ := set $config "listenExtender" (.Values.kubeScheduler.enabled | ternary (printf "127.0.0.1:%s" (include "tessera.ports.extender" .)) "") }}
{{- $_ := set $config "leaderElection" (dict "enabled" true "mode" (.Values.kubeScheduler.enabled | ternary "follow" "campaign")) }}
{{- $_ := set $config "listenMetrics" (printf "0.0.0.0:%s" (include "tessera.ports.metrics" .)) }}
{{- $tls := dict "certFile" "/etc/tessera-tls/tls.crt" "keyFile" "/etc/tessera-tls/tls.key" }}
{{- if not .Values.tls.existingSecret }}
{{- $names := list (printf "%s.%s.svc" (include "tessera.fullname" .) .Release.Namespace) }}
{{- if not .Values.kubeScheduler.enabled }}
{{- $names = append $names (printf "%s-extender.%s.svc" (include "tessera.fullname" .) .Release.Namespace) }}
{{- end }}
{{- $tls = dict
  "secret" (include "tessera.tls.secretName" .)
  "names" (concat $names .Values.tls.extraNames)
  "webhookConfigurations" (list (include "tessera.fullname" .))
}}
{{- end }}
{{- if not .Values.kubeScheduler.enabled }}
{{- $_ := set $tls "clientCaFile" "/etc/tessera-extender-clients/ca.crt" }}
{{- end }}
{{- $_ := set $config "tls" $tls }}
{{- if .Values.deviceConfig }}
{{- $_ := set $config "deviceConfigFile" "/etc/tessera/device-config.yaml" }}
{{- end }}
{{- toYaml $config }}
{{- end }}
