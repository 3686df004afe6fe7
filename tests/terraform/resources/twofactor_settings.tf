variable "required" {
  type    = bool
  default = true
}

resource "mixpanel_twofactor_settings" "this" {
  settings = jsonencode({ twofactor_auth_required = var.required })
}
