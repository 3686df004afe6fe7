variable "description" { default = "read and export" }

# The server adds view_project to every role.
resource "mixpanel_custom_role" "this" {
  name        = "Support"
  description = var.description
  permissions = ["view_project", "export_reports_csv"]
}

data "mixpanel_custom_roles" "all" {
  depends_on = [mixpanel_custom_role.this]
}
